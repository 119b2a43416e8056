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

{{/* The digest and the tag of an image. Takes a dict: root, and image with the tag and digest that win over the common ones. */}}
{{- define "oms.imageVersion" -}}
{{- $common := .root.Values.image -}}
{{- $own := default dict .image -}}
{{- $digest := $common.digest -}}
{{- if or $own.tag $own.digest -}}{{- $digest = $own.digest -}}{{- end -}}
{{- dict "tag" (or $own.tag $common.tag .root.Chart.AppVersion) "digest" (default "" $digest) | toYaml -}}
{{- end -}}

{{/* Takes the same. */}}
{{- define "oms.image" -}}
{{- $version := include "oms.imageVersion" . | fromYaml -}}
{{- $repository := .root.Values.image.repository -}}
{{- if $version.digest -}}{{ $repository }}@{{ $version.digest }}{{- else -}}{{ $repository }}:{{ $version.tag }}{{- end -}}
{{- end -}}

{{/*
The workers of orders by their versions, this release's first: a dict with the list `builds` of dicts, each with an id and an
image. The id is known before the image is pulled, since KEDA needs it.
*/}}
{{- define "oms.orderBuilds" -}}
builds:
{{- range $image := prepend .Values.orderWorker.previous dict }}
{{- $version := include "oms.imageVersion" (dict "root" $ "image" $image) | fromYaml }}
  - id: {{ $version.digest | trimPrefix "sha256:" | trunc 12 | default $version.tag | quote }}
    image: {{ toJson $image }}
{{- end }}
{{- end -}}

{{/* The part that a build id has in names and labels. */}}
{{- define "oms.buildName" -}}
{{- . | lower | replace "." "-" | replace "_" "-" | trunc 20 | trimSuffix "-" -}}
{{- end -}}

{{/* Temporal's name for the versions of the workers of orders together. */}}
{{- define "oms.workerDeployment" -}}
{{- .Values.orderWorker.config.WORKER_DEPLOYMENT | default .Values.temporal.taskQueue -}}
{{- end -}}
