{{/* The environment of the processes. It contains no secrets, only references to them. */}}

{{/* The value of a variable. Helm reads numbers as floats, and would write 2592000 as 2.592e+06. */}}
{{- define "oms.value" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . | quote }}{{- else -}}{{ . | toString | quote }}{{- end -}}
{{- end -}}

{{/* Takes a dict of variables, and leaves out those without a value. */}}
{{- define "oms.variables" -}}
{{- range $name, $value := . }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
{{ $name }}: {{ include "oms.value" $value }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The variables for the connection to Temporal; its files are in "oms.volumes". */}}
{{- define "oms.temporalVariables" -}}
{{- $temporal := .Values.temporal -}}
{{- $variables := dict "TEMPORAL_ADDRESS" $temporal.address "TEMPORAL_NAMESPACE" $temporal.namespace -}}
{{- if $temporal.tls.enabled -}}
{{- $_ := set $variables "TEMPORAL_TLS" "true" -}}
{{- $_ := set $variables "TEMPORAL_TLS_SERVER_NAME" $temporal.tls.serverName -}}
{{- if $temporal.tls.ca.existingSecret -}}
{{- $_ := set $variables "TEMPORAL_TLS_SERVER_CA_CERT_PATH" "/etc/temporal-tls/ca.crt" -}}
{{- end -}}
{{- if $temporal.tls.clientCertificate.existingSecret -}}
{{- $_ := set $variables "TEMPORAL_TLS_CLIENT_CERT_PATH" "/etc/temporal-tls/tls.crt" -}}
{{- $_ := set $variables "TEMPORAL_TLS_CLIENT_KEY_PATH" "/etc/temporal-tls/tls.key" -}}
{{- end -}}
{{- end -}}
{{- $variables | toYaml -}}
{{- end -}}

{{/* The task queues, which all processes have to agree on. */}}
{{- define "oms.queues" -}}
{{- $temporal := .Values.temporal -}}
{{- dict "TEMPORAL_TASK_QUEUE" $temporal.taskQueue "TEMPORAL_PAYMENTS_TASK_QUEUE" $temporal.paymentsTaskQueue "TEMPORAL_EVENTS_TASK_QUEUE" $temporal.eventsTaskQueue | toYaml -}}
{{- end -}}

{{/* The ConfigMap of a process. Takes a dict: root, component. */}}
{{- define "oms.configData" -}}
{{- $values := .root.Values -}}
{{- $queues := include "oms.queues" .root | fromYaml -}}
{{- $variables := merge dict $values.config $queues (include "oms.temporalVariables" .root | fromYaml) -}}
{{- $_ := set $variables "NODE_ENV" "production" -}}
{{- $_ := set $variables "METRICS_HOST" "0.0.0.0" -}}
{{- $_ := set $variables "METRICS_PORT" $values.metrics.port -}}
{{- $_ := set $variables "TEMPORAL_UI_URL" $values.temporal.uiUrl -}}
{{- $_ := set $variables "PAYMENT_PROVIDER" $values.payments.provider -}}
{{- $_ := set $variables "PAYMENTS_MAX_PER_SECOND" $values.payments.maxPerSecond -}}
{{- if eq .component "api" -}}
{{- $variables = merge $variables $values.api.config -}}
{{- $_ := set $variables "HOST" "0.0.0.0" -}}
{{- $_ := set $variables "PORT" 3000 -}}
{{- else if eq .component "order-worker" -}}
{{- /* Temporal's worker controller sets TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID. */ -}}
{{- $variables = merge $variables $values.orderWorker.config -}}
{{- $_ := set $variables "WORKER_QUEUES" "orders,events" -}}
{{- else -}}
{{- $variables = merge $variables $values.paymentWorker.config -}}
{{- $_ := set $variables "WORKER_QUEUES" "payments" -}}
{{- end -}}
{{- include "oms.variables" $variables -}}
{{- end -}}

{{/* The Secrets of a process, as values.yaml lists them. Takes a dict: root, component. */}}
{{- define "oms.secretEnv" -}}
{{- $secrets := .root.Values.secrets -}}
{{- $stripe := eq .root.Values.payments.provider "stripe" -}}
{{- $refs := dict "MONGODB_URI" $secrets.mongodbUri "TEMPORAL_API_KEY" .root.Values.temporal.apiKey -}}
{{- if ne .component "setup" -}}
{{- $_ := set $refs "PAYLOAD_KEYS" $secrets.payloadKeys -}}
{{- end -}}
{{- if eq .component "api" -}}
{{- $_ := set $refs "JWT_SECRET" $secrets.jwtSecret -}}
{{- $_ := set $refs "JWT_KEYS" $secrets.jwtKeys -}}
{{- $_ := set $refs "REDIS_URL" $secrets.redisUrl -}}
{{- $_ := set $refs "SMTP_URL" $secrets.smtpUrl -}}
{{- if $stripe -}}{{- $_ := set $refs "STRIPE_WEBHOOK_SECRET" $secrets.stripeWebhookSecret -}}{{- end -}}
{{- else if and (eq .component "payment-worker") $stripe -}}
{{- $_ := set $refs "STRIPE_SECRET_KEY" $secrets.stripeSecretKey -}}
{{- end -}}
{{- range $name, $ref := $refs }}
{{- if $ref.existingSecret }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $ref.existingSecret }}
      key: {{ $ref.key }}
{{- end }}
{{- end }}
{{- end -}}
