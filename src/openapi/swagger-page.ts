/**
 * Returns the page of Swagger UI. Its script is a separate file, because the content security policy forbids
 * inline ones.
 */
export function swaggerPage(base: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Order Management System API</title>
    <link rel="icon" type="image/png" href="${base}/assets/favicon-32x32.png">
    <link rel="stylesheet" href="${base}/assets/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="${base}/assets/swagger-ui-bundle.js"></script>
    <script src="${base}/assets/initializer.js"></script>
  </body>
</html>
`;
}

/**
 * Returns the script that starts Swagger UI on our document. The token of Authorize is in memory only: what is in
 * localStorage outlives the session and can be read by every script of the origin.
 */
export function initializerScript(base: string): string {
  const options = {
    url: `${base}/openapi.json`,
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
  };
  const shown = {
    persistAuthorization: false,
    displayRequestDuration: true,
    tryItOutEnabled: true,
  };
  return `window.ui = SwaggerUIBundle(${JSON.stringify({ ...options, ...shown })});\n`;
}
