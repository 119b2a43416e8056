{{/* One egress rule. Takes a dict: destination (to, ports), protocols. */}}
{{- define "oms.egressRule" -}}
{{- $protocols := default (list "TCP") .protocols -}}
- ports:
    {{- range $port := .destination.ports }}
    {{- range $protocol := $protocols }}
    - protocol: {{ $protocol }}
      port: {{ $port }}
    {{- end }}
    {{- end }}
  {{- with .destination.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The destinations of all processes. */}}
{{- define "oms.commonEgress" -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{ include "oms.egressRule" (dict "destination" $egress.dns "protocols" (list "UDP" "TCP")) }}
{{ include "oms.egressRule" (dict "destination" $egress.mongodb) }}
{{ include "oms.egressRule" (dict "destination" $egress.temporal) }}
{{- with $egress.extra }}
{{ toYaml . }}
{{- end }}
{{- end -}}
