{{/* Checks that values.schema.json cannot express clearly. All mistakes are reported together. */}}
{{- define "oms.mistakes" -}}
{{- $v := .Values -}}
{{- $secrets := $v.secrets -}}
{{- $stripe := eq $v.payments.provider "stripe" -}}
{{- $tls := $v.temporal.tls -}}
{{- $apiKey := $v.temporal.apiKey.existingSecret -}}
{{- $certificate := $tls.clientCertificate.existingSecret -}}
{{- $keda := or $v.orderWorker.autoscaling.enabled $v.paymentWorker.autoscaling.enabled -}}
{{- if not $v.image.repository }}
- image.repository is empty: name the image that was built from the Dockerfile, without its tag
{{- end }}
{{- if not $v.temporal.address }}
- temporal.address is empty: write host:7233, the frontend of Temporal
{{- end }}
{{- if not $v.payments.provider }}
- payments.provider is empty: write stripe, or sandbox for a trial, which takes no money
{{- end }}
{{- if not $secrets.mongodbUri.existingSecret }}
- secrets.mongodbUri.existingSecret is empty: name the Secret with MONGODB_URI
{{- end }}
{{- if not $secrets.payloadKeys.existingSecret }}
- secrets.payloadKeys.existingSecret is empty: name the Secret with PAYLOAD_KEYS, which encrypt what Temporal stores
{{- end }}
{{- if not (or $secrets.jwtSecret.existingSecret $secrets.jwtKeys.existingSecret) }}
- secrets.jwtSecret.existingSecret and secrets.jwtKeys.existingSecret are empty: name the Secret with JWT_SECRET or JWT_KEYS
{{- end }}
{{- if not $secrets.smtpUrl.existingSecret }}
- secrets.smtpUrl.existingSecret is empty: name the Secret with SMTP_URL, the server that sends the mails to users
{{- end }}
{{- range $name := list "MAIL_FROM" "ACCOUNT_PAGE_URL" }}
{{- if not (index $v.api.config $name) }}
- api.config.{{ $name }} is empty: mails to users need it
{{- end }}
{{- end }}
{{- if and $stripe (not $secrets.stripeSecretKey.existingSecret) }}
- secrets.stripeSecretKey.existingSecret is empty, but payments.provider is stripe: name the Secret with STRIPE_SECRET_KEY
{{- end }}
{{- if and $stripe (not $secrets.stripeWebhookSecret.existingSecret) }}
- secrets.stripeWebhookSecret.existingSecret is empty, but payments.provider is stripe: name the Secret with STRIPE_WEBHOOK_SECRET
{{- end }}
{{- if eq $v.temporal.taskQueue $v.temporal.paymentsTaskQueue }}
- temporal.paymentsTaskQueue is the same as temporal.taskQueue: the workers of one do not know the work of the other
{{- end }}
{{- if has $v.temporal.eventsTaskQueue (list $v.temporal.taskQueue $v.temporal.paymentsTaskQueue) }}
- temporal.eventsTaskQueue is the same as temporal.taskQueue or temporal.paymentsTaskQueue: the workers of one do not know the work of the other
{{- end }}
{{- if lt (int $v.config.SHUTDOWN_TIMEOUT_MS) (int (max $v.config.PLACE_ORDER_TIMEOUT_MS $v.config.ORDER_COMMAND_TIMEOUT_MS)) }}
- config.SHUTDOWN_TIMEOUT_MS is less than PLACE_ORDER_TIMEOUT_MS or ORDER_COMMAND_TIMEOUT_MS: requests would be cut off at every deployment
{{- end }}
{{- if and $apiKey (not $tls.enabled) }}
- temporal.apiKey is set without temporal.tls.enabled: the key would be sent unencrypted
{{- end }}
{{- if and (not $tls.enabled) (or $certificate $tls.ca.existingSecret $tls.serverName) }}
- temporal.tls has a certificate or a server name, but temporal.tls.enabled is false: nothing would be encrypted
{{- end }}
{{- if and $keda $tls.enabled (not (or $apiKey $certificate)) }}
- temporal.tls.enabled without temporal.apiKey or temporal.tls.clientCertificate is not supported by KEDA, whose temporal scaler would connect without TLS: set one of them, or autoscaling.enabled of orderWorker and paymentWorker to false
{{- end }}
{{- if and $keda $apiKey $tls.ca.existingSecret (not $certificate) }}
- temporal.tls.ca with temporal.apiKey but no client certificate is not supported by KEDA, whose temporal scaler knows public authorities only then: set autoscaling.enabled of orderWorker and paymentWorker to false
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
- ingress.hosts is empty, but ingress.enabled is true: name at least one host
{{- end }}
{{- if and $v.ingress.enabled (eq (int $v.api.config.TRUSTED_PROXIES) 0) }}
- api.config.TRUSTED_PROXIES is 0 behind an ingress: all clients would share one rate limit, that of the ingress controller's address
{{- end }}
{{- $names := list }}
{{- range (include "oms.orderBuilds" . | fromYaml).builds }}
{{- $names = append $names (include "oms.buildName" .id) }}
{{- end }}
{{- if ne (len $names) (len (uniq $names)) }}
- orderWorker.previous has an image twice, or that of this release: each version has one Deployment, whose name has 20 characters of its tag
{{- end }}
{{- if and $v.orderWorker.previous (eq (default "" $v.orderWorker.config.WORKER_ROLLOUT) "replace") }}
- orderWorker.config.WORKER_ROLLOUT is replace, but orderWorker.previous is not empty: the versions would take the orders from each other
{{- end }}
{{- range $name := list "api" "orderWorker" "paymentWorker" }}
{{- with index $v $name }}
{{- if and .autoscaling.enabled (lt (int .autoscaling.maxReplicas) (int .autoscaling.minReplicas)) }}
- {{ $name }}.autoscaling.maxReplicas is less than minReplicas
{{- end }}
{{- range .extraEnv }}
{{- if and (hasKey . "value") (regexMatch "(SECRET|PASSWORD|TOKEN|PRIVATE|_URI$|API_KEY|PAYLOAD_KEYS|JWT_KEYS|REDIS_URL|SMTP_URL)" .name) }}
- {{ $name }}.extraEnv has {{ .name }} as a value, readable in the Deployment: use valueFrom.secretKeyRef
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "oms.check" -}}
{{- with include "oms.mistakes" . | trim -}}
{{- fail (printf "\nThe values are not usable. Correct these:\n%s\n" .) -}}
{{- end -}}
{{- end -}}
