{{/* Values that the schema allows one by one and that contradict each other. Each message: what, why, what to do. */}}
{{- define "index-operator.validate" -}}
{{- $v := .Values }}
{{- if and (gt (int $v.replicas) 1) (not $v.leaderElection.enabled) }}
{{- fail (printf "replicas is %d and leaderElection.enabled is false: several operators would work on the same indexes. Next: enable leader election, or set replicas to 1." (int $v.replicas)) }}
{{- end }}
{{- if and (ne (toString $v.podDisruptionBudget.minAvailable) "") (ne (toString $v.podDisruptionBudget.maxUnavailable) "") }}
{{- fail "podDisruptionBudget has minAvailable and maxUnavailable: Kubernetes takes one of them. Next: set the other to \"\"." }}
{{- end }}
{{- if and $v.kueue.gateJobs (not $v.kueue.enabled) }}
{{- fail "kueue.gateJobs is true and kueue.enabled is false: jobs would get a gate that nobody takes off. Next: set kueue.enabled to true, or kueue.gateJobs to false." }}
{{- end }}
{{- if and $v.kueue.gateJobs (not $v.webhook.enabled) }}
{{- fail "kueue.gateJobs is true and webhook.enabled is false: it is the webhook that puts the gate on jobs. Next: set webhook.enabled to true, or kueue.gateJobs to false." }}
{{- end }}
{{- if and $v.kueue.required (not $v.kueue.enabled) }}
{{- fail "kueue.required is true and kueue.enabled is false: what is not used cannot be needed. Next: set kueue.enabled to true, or kueue.required to false." }}
{{- end }}
{{- if and $v.metrics.serviceMonitor.enabled (not $v.metrics.service.enabled) }}
{{- fail "metrics.serviceMonitor.enabled is true and metrics.service.enabled is false: a ServiceMonitor finds pods through a Service. Next: set metrics.service.enabled to true." }}
{{- end }}
{{- if and $v.metrics.prometheusRule.enabled (not $v.metrics.service.enabled) (not $v.metrics.prometheusRule.selector) }}
{{- fail "metrics.prometheusRule.enabled is true, metrics.service.enabled is false and metrics.prometheusRule.selector is empty: alerts would look at the series of a Service that is not there. Next: set metrics.service.enabled to true, or the selector to what your Prometheus names them." }}
{{- end }}
{{- if and $v.networkPolicy.builds (not $v.watchNamespaces) (not $v.networkPolicy.buildNamespaces) }}
{{- fail "networkPolicy.builds is true and no namespace is named: a NetworkPolicy counts in its own namespace only. Next: list the namespaces of the indexes in networkPolicy.buildNamespaces (or watchNamespaces), or apply config/network-policy/builds.yaml in each." }}
{{- end }}
{{- if and $v.webhook.enabled (eq (int $v.webhook.port) (int $v.ports.http)) }}
{{- fail (printf "webhook.port and ports.http are both %d: one port serves one of them. Next: change either." (int $v.webhook.port)) }}
{{- end }}
{{- $set := dict "--kubeconfig" true "--namespace" true "--leader-elect-namespace" true "--json-logs" true }}
{{- range include "index-operator.args" . | fromYamlArray }}
{{- $set = set $set (first (splitList "=" .)) true }}
{{- end }}
{{- range $v.extraArgs }}
{{- $name := first (splitList "=" .) }}
{{- if hasKey $set $name }}
{{- fail (printf "extraArgs has %s: the chart sets this argument itself, and must know of it. Next: remove it there and use the value for it; README.md lists them." $name) }}
{{- end }}
{{- end }}
{{- end }}
