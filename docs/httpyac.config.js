/**
 * Lets httpyac read what the REST Client of Visual Studio Code does: `{{name.response.body.data.id}}` and
 * `{{name.response.headers.ETag}}` of a request `# @name name`, also in variables at the top of the file, where they stand
 * for responses that have not arrived yet.
 */
const REFERENCE = /\{\{\s*(\w+)\.response\.(body|headers)\.([^}]+?)\s*\}\}/g;
const POSTPONED = /\u27e6(\w+)\.(body|headers)\.(.+?)\u27e7/g;

const postpone = (text) =>
  typeof text === 'string' ? text.replace(REFERENCE, '\u27e6$1.$2.$3\u27e7') : text;

function resolve(text, type, { variables }) {
  if (typeof text !== 'string' || type === 'Variable') return text;
  return text.replace(POSTPONED, (_, name, part, path) => {
    const response = variables[`${name}Response`];
    if (response === undefined) throw new Error(`Send the request ${name} first.`);
    if (part === 'headers') return response.headers[path.toLowerCase()];
    return path.split(/[.[\]]+/).filter(Boolean).reduce((value, key) => value?.[key], response.parsedBody); // prettier-ignore
  });
}

module.exports = {
  configureHooks({ hooks }) {
    hooks.replaceVariable.addHook('postponeResponses', postpone, { before: ['javascript'] });
    hooks.replaceVariable.addHook('resolveResponses', resolve);
  },
};
