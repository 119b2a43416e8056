{{- define "oms.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Room is left for the suffixes of this chart, and for those of Kubernetes. */}}
{{- define "oms.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "oms.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "oms.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of all that belongs to this release; never changes, since selectors cannot. */}}
{{- define "oms.selectorLabels" -}}
app.kubernetes.io/name: {{ include "oms.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "oms.labels" -}}
{{ include "oms.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: orders-management-system
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end -}}

{{- define "oms.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "oms.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Takes a dict: root, and image with the tag and digest that win over the common ones. */}}
{{- define "oms.image" -}}
{{- $common := .root.Values.image -}}
{{- $own := default dict .image -}}
{{- $tag := or $own.tag $common.tag .root.Chart.AppVersion -}}
{{- $digest := $common.digest -}}
{{- if or $own.tag $own.digest -}}{{- $digest = $own.digest -}}{{- end -}}
{{- if $digest -}}
{{ $common.repository }}@{{ $digest }}
{{- else -}}
{{ $common.repository }}:{{ $tag }}
{{- end -}}
{{- end -}}
