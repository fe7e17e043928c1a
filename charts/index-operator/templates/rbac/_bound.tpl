{{/* What belongs to no namespace. An operator of listed namespaces takes a definition that it may not look at for one that stays. */}}
{{- define "index-operator.clusterRules" -}}
{{- if not .Values.watchNamespaces }}
{{ include "index-operator.definitionRules" . }}
{{- end }}
{{- if include "index-operator.ownCertificates" . }}
{{ include "index-operator.webhookRules" . }}
{{- end }}
{{- end }}

{{/* A role and its binding to the operator's account: root, name, rules (text); namespace for a Role, none for a ClusterRole. */}}
{{- define "index-operator.boundRole" -}}
{{- $kind := ternary "Role" "ClusterRole" (not (empty .namespace)) -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
{{ include "index-operator.metadata" . }}
rules:
{{ .rules | trim }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
{{ include "index-operator.metadata" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ .name }}
{{ include "index-operator.subjects" .root }}
{{- end }}
