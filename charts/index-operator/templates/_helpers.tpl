{{- define "index-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* 40 characters leave room for what is appended, such as -webhook-certificate. */}}
{{- define "index-operator.fullname" -}}
{{- $name := include "index-operator.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "index-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "index-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/*
Labels of an object as a map in YAML: root, labels beside the common ones. What selects the pods cannot be replaced; part is for what those
selectors must not meet.
*/}}
{{- define "index-operator.labels" -}}
{{- $own := include "index-operator.selectorLabels" .root | fromYaml }}
{{- with .part }}
{{- $own = set $own "app.kubernetes.io/name" (printf "%s-%s" (include "index-operator.name" $.root) . | trunc 63 | trimSuffix "-") }}
{{- end }}
{{- $own = set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- $own = set $own "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $own = set $own "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- toYaml (merge $own (.labels | default dict) .root.Values.commonLabels) }}
{{- end }}

{{/* Labels of pods. Without the chart's version: pods are not replaced where nothing else changes. */}}
{{- define "index-operator.podLabels" -}}
{{- toYaml (merge (include "index-operator.selectorLabels" .root | fromYaml) (.labels | default dict) .root.Values.commonLabels) }}
{{- end }}

{{/* The metadata of an object: root, name; namespace for what has one; labels and part as above; annotations (a list of maps; later ones win). */}}
{{- define "index-operator.metadata" -}}
{{- $annotations := dict }}
{{- range concat (list .root.Values.commonAnnotations) (.annotations | default list) }}
{{- $annotations = mergeOverwrite $annotations (deepCopy (. | default dict)) }}
{{- end -}}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "index-operator.labels" . | nindent 4 }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "index-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.name }}
{{- .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}
{{- include "index-operator.fullname" . }}
{{- else }}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty: there is no account to run as. Next: name an account that exists, or let the chart create one." }}
{{- end }}
{{- end }}

{{/* An image: root, image, registry. */}}
{{- define "index-operator.imageOf" -}}
{{- $registry := .image.registry | default .registry }}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "index-operator.image" -}}
{{- include "index-operator.imageOf" (dict "root" . "image" .Values.image "registry" "") }}
{{- end }}

{{- define "index-operator.builderImage" -}}
{{- include "index-operator.imageOf" (dict "root" . "image" .Values.builder.image "registry" .Values.image.registry) }}
{{- end }}

{{/* Not empty where the operator itself keeps the webhook's certificates. */}}
{{- define "index-operator.ownCertificates" -}}
{{- if and .Values.webhook.enabled (eq .Values.webhook.certificates.source "operator") }}yes{{ end }}
{{- end }}

{{/* Not empty where cert-manager does. */}}
{{- define "index-operator.certManager" -}}
{{- if and .Values.webhook.enabled (eq .Values.webhook.certificates.source "cert-manager") }}yes{{ end }}
{{- end }}

{{- define "index-operator.subjects" -}}
subjects:
- kind: ServiceAccount
  name: {{ include "index-operator.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* Which series are this operator's, inside the braces of a PromQL selector. */}}
{{- define "index-operator.series" -}}
{{- .Values.metrics.prometheusRule.selector | default (printf "job=%q,namespace=%q" (printf "%s-metrics" (include "index-operator.fullname" .)) .Release.Namespace) }}
{{- end }}
