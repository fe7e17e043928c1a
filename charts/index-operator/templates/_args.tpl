{{/* The operator's arguments, as a list. What it would take for granted is said too, so that the chart's values are what holds. */}}
{{- define "index-operator.args" -}}
- --builder-image={{ include "index-operator.builderImage" . }}
{{- range .Values.watchNamespaces }}
- --namespace={{ . }}
{{- end }}
- --port={{ int .Values.ports.http }}
- --gpu-node-label={{ .Values.gpu.nodeLabel }}
- --gpu-resource={{ .Values.gpu.resource }}
- --build-cpu-request={{ .Values.builds.cpuRequest }}
- --build-memory-request={{ .Values.builds.memoryRequest }}
- --build-memory-max={{ .Values.builds.memoryMax }}
- --leader-elect={{ .Values.leaderElection.enabled }}
{{- if .Values.leaderElection.enabled }}
- --leader-elect-lease-duration={{ .Values.leaderElection.leaseDuration }}
- --leader-elect-renew-deadline={{ .Values.leaderElection.renewDeadline }}
- --leader-elect-retry-period={{ .Values.leaderElection.retryPeriod }}
{{- end }}
- --max-parallel-reconciliations={{ int .Values.controller.maxParallelReconciliations }}
- --kube-api-qps={{ .Values.controller.kubeApiQps }}
- --kube-api-burst={{ int .Values.controller.kubeApiBurst }}
{{- if not .Values.kueue.enabled }}
- --kueue=off
{{- else if .Values.kueue.required }}
- --kueue=on
{{- else }}
- --kueue=auto
{{- end }}
- --log-level={{ .Values.logging.level }}
{{- if eq .Values.logging.format "json" }}
- --json-logs
{{- end }}
{{- if .Values.webhook.enabled }}
- --webhook
- --webhook-port={{ int .Values.webhook.port }}
{{- if include "index-operator.certManager" . }}
- --webhook-cert-dir=/webhook-certificate
{{- else }}
- --webhook-service={{ include "index-operator.fullname" . }}-webhook
- --webhook-configuration={{ include "index-operator.fullname" . }}
- --webhook-certificate-secret={{ include "index-operator.fullname" . }}-webhook-certificate
{{- end }}
{{- end }}
{{- end }}
