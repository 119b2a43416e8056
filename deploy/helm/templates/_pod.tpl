{{/* Parts that all pods have in common. */}}

{{- define "oms.podSecurity" -}}
automountServiceAccountToken: false
# Otherwise every Service of the namespace would be in the environment.
enableServiceLinks: false
# Otherwise Node.js is process 1, and no signal ends it before it has installed its handlers.
shareProcessNamespace: true
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "oms.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "oms.temporalTlsFiles" -}}
{{- $tls := .Values.temporal.tls -}}
{{- if and $tls.enabled (or $tls.ca.existingSecret $tls.clientCertificate.existingSecret) -}}true{{- end -}}
{{- end -}}

{{- define "oms.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if include "oms.temporalTlsFiles" . }}
- name: temporal-tls
  mountPath: /etc/temporal-tls
  readOnly: true
{{- end }}
{{- end -}}

{{- define "oms.volumes" -}}
{{- $tls := .Values.temporal.tls -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- if include "oms.temporalTlsFiles" . }}
- name: temporal-tls
  projected:
    defaultMode: 0440
    sources:
      {{- with $tls.ca }}
      {{- if .existingSecret }}
      - secret:
          name: {{ .existingSecret }}
          items:
            - key: {{ .key }}
              path: ca.crt
      {{- end }}
      {{- end }}
      {{- with $tls.clientCertificate }}
      {{- if .existingSecret }}
      - secret:
          name: {{ .existingSecret }}
          items:
            - key: {{ .certificateKey }}
              path: tls.crt
            - key: {{ .privateKeyKey }}
              path: tls.key
      {{- end }}
      {{- end }}
{{- end }}
{{- end -}}

{{/*
The template of a Deployment's pods. Takes a dict: root, component, values of the component, command, more fields of the
container (ports, probes, lifecycle) as YAML in container, stopSeconds, the time that the process may take to stop, and
build, the version of the workers of orders.
*/}}
{{- define "oms.podTemplate" -}}
{{- $selector := include "oms.componentSelector" . -}}
metadata:
  # Without the version of the chart, which must not restart pods in which nothing changed.
  labels:
    {{- $selector | nindent 4 }}
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "oms.configData" . | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "oms.serviceAccountName" .root }}
  {{- include "oms.podSecurity" .root | nindent 2 }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  # Longer than the process takes to stop, so that it is not killed while it works.
  terminationGracePeriodSeconds: {{ .stopSeconds }}
  {{- if .root.Values.topologySpread.enabled }}
  topologySpreadConstraints:
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: {{ $.root.Values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels:
          {{- $selector | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with index $.values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "oms.image" (dict "root" .root "image" .values.image) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: {{ toJson .command }}
      envFrom:
        - configMapRef:
            name: {{ include "oms.fullname" .root }}-{{ .component }}
      env:
        {{- include "oms.secretEnv" . | trim | nindent 8 }}
        {{- with .build }}
        - name: WORKER_BUILD_ID
          value: {{ . | quote }}
        {{- end }}
        {{- with .values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .container }}
      {{- . | nindent 6 }}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      {{- include "oms.containerSecurity" .root | nindent 6 }}
      volumeMounts:
        {{- include "oms.volumeMounts" .root | nindent 8 }}
  volumes:
    {{- include "oms.volumes" .root | nindent 4 }}
{{- end -}}

{{/* Takes a dict: root, component, and build for the workers of one version. */}}
{{- define "oms.componentSelector" -}}
{{ include "oms.selectorLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- with .build }}
worker-build: {{ include "oms.buildName" . | quote }}
{{- end }}
{{- end -}}

{{/* Name, namespace and labels of what belongs to a process. Takes a dict: root, component, annotations, build. */}}
{{- define "oms.componentMetadata" -}}
name: {{ include "oms.fullname" .root }}-{{ .component }}{{ with .build }}-{{ include "oms.buildName" . }}{{ end }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "oms.labels" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
