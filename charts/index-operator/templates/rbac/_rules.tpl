{{/* What the operator does in the namespaces of the indexes; config/rbac/role.yaml says why, and a test holds both together. */}}
{{- define "index-operator.namespacedRules" -}}
- apiGroups: [indexoperator.io]
  resources: [pretrainindexes]
  verbs: [get, list, watch, patch]
- apiGroups: [indexoperator.io]
  resources: [pretrainindexes/status]
  verbs: [patch]
- apiGroups: [indexoperator.io]
  resources: [pretrainindexes/finalizers]
  verbs: [update]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, patch]
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, create, patch]
# In a Role this is the Role's own namespace, and no other.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What belongs to no namespace. An operator of listed namespaces takes a definition that it may not look at for one that stays. */}}
{{- define "index-operator.clusterRules" -}}
{{- if not .Values.watchNamespaces }}
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  resourceNames: [pretrainindexes.indexoperator.io]
  verbs: [get]
{{- end }}
{{- if include "index-operator.ownCertificates" . }}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  resourceNames: [{{ include "index-operator.fullname" . }}]
  verbs: [get, patch]
{{- end }}
{{- end }}

{{/* As in config/kueue/role.yaml. */}}
{{- define "index-operator.kueueRules" -}}
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [get, list, watch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, patch]
- apiGroups: [jobset.x-k8s.io]
  resources: [jobsets]
  verbs: [get, patch]
- apiGroups: [kubeflow.org]
  resources: [pytorchjobs]
  verbs: [get, patch]
- apiGroups: [trainer.kubeflow.org]
  resources: [trainjobs]
  verbs: [get, patch]
- apiGroups: [ray.io]
  resources: [rayclusters, rayjobs]
  verbs: [get, patch]
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
