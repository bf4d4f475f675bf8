{{/*
Name of the objects, with what is put behind it at most 63 characters. The label app.kubernetes.io/name is always
vxlan-exporter: it becomes `job`, which the alerts match.
*/}}
{{- define "vxlan-exporter.fullname" -}}
{{- $name := .Values.nameOverride | default "vxlan-exporter" | trunc 29 | trimSuffix "-" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 44 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 44 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" (.Release.Name | trunc (int (sub 43 (len $name))) | trimSuffix "-") $name -}}
{{- end -}}
{{- end -}}

{{- define "vxlan-exporter.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace -}}
{{- end -}}

{{/* How many exporters share the configuration. */}}
{{- define "vxlan-exporter.shards" -}}
{{- .Values.replicas | default .Values.shards | int -}}
{{- end -}}

{{/* Whether this is a cluster: `helm template` has a list of capabilities, but no aggregation layer in it. */}}
{{- define "vxlan-exporter.live" -}}
{{- if .Capabilities.APIVersions.Has "apiregistration.k8s.io/v1" -}}true{{- end -}}
{{- end -}}

{{/*
Whether a namespace is there, asked by what Kubernetes puts into every one. Helm may read that: it reads every object
that it makes, and dashboards are ConfigMaps there.
*/}}
{{- define "vxlan-exporter.hasNamespace" -}}
{{- if lookup "v1" "ConfigMap" .namespace "kube-root-ca.crt" -}}true{{- end -}}
{{- end -}}

{{/* Where the dashboards go. Rancher Monitoring makes cattle-dashboards, unless its Grafana is turned off. */}}
{{- define "vxlan-exporter.dashboardNamespace" -}}
{{- $own := include "vxlan-exporter.namespace" . -}}
{{- if .Values.dashboards.namespace -}}
{{- .Values.dashboards.namespace -}}
{{- else if ne .Values.monitoring "rancher" -}}
{{- $own -}}
{{- else if and (include "vxlan-exporter.live" .) (not (include "vxlan-exporter.hasNamespace" (dict "namespace" "cattle-dashboards"))) -}}
{{- $own -}}
{{- else -}}
cattle-dashboards
{{- end -}}
{{- end -}}

{{- define "vxlan-exporter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "vxlan-exporter.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* What tells this release's pods from others. */}}
{{- define "vxlan-exporter.selector" -}}
app.kubernetes.io/name: vxlan-exporter
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The reflectors beside it have another name, so that no metrics are looked for there. */}}
{{- define "vxlan-exporter.reflectorSelector" -}}
app.kubernetes.io/name: vxlan-reflector
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "vxlan-exporter.commonLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "vxlan-exporter.labels" -}}
{{ include "vxlan-exporter.selector" . }}
{{ include "vxlan-exporter.commonLabels" . }}
{{- end -}}

{{/* Labels of the operator's objects: plain kube-prometheus-stack takes only those of its release. */}}
{{- define "vxlan-exporter.operatorLabels" -}}
{{ include "vxlan-exporter.labels" . }}
release: {{ .Values.monitoringRelease | default (eq .Values.monitoring "rancher" | ternary "rancher-monitoring" "kube-prometheus-stack") }}
{{- end -}}

{{- define "vxlan-exporter.image" -}}
{{- $global := .Values.global | default dict -}}
{{- $rancher := ($global.cattle | default dict).systemDefaultRegistry | default "" -}}
{{- $registry := .Values.image.registry | default $rancher -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* Grafana's address, to put `d/UID` behind. Rancher gives the charts it installs its own address and the cluster's name. */}}
{{- define "vxlan-exporter.grafana" -}}
{{- $cattle := (.Values.global | default dict).cattle | default dict -}}
{{- if .Values.prometheusRule.dashboardBaseUrl -}}
{{- trimSuffix "/" .Values.prometheusRule.dashboardBaseUrl -}}
{{- else if and (eq .Values.monitoring "rancher") $cattle.url $cattle.clusterId -}}
{{- $service := printf "http:%s-grafana:80" (.Values.monitoringRelease | default "rancher-monitoring") -}}
{{- printf "%s/k8s/clusters/%s/api/v1/namespaces/cattle-monitoring-system/services/%s/proxy" (trimSuffix "/" $cattle.url) $cattle.clusterId $service -}}
{{- end -}}
{{- end -}}

{{/*
The exporter's own address, where it is known, to put `/runbooks/NAME` behind: what is given, else the first host of the
Ingress that leads to all pages.
*/}}
{{- define "vxlan-exporter.ownAddress" -}}
{{- if .Values.web.externalUrl -}}
{{- trimSuffix "/" .Values.web.externalUrl -}}
{{- else if .Values.ingress.enabled -}}
{{- $found := "" -}}
{{- range .Values.ingress.hosts -}}
  {{- $isWhole := not .paths -}}
  {{- range .paths -}}
    {{- if eq (.path | default "/") "/" -}}{{- $isWhole = true -}}{{- end -}}
  {{- end -}}
  {{- if and $isWhole (not $found) (not (contains "*" .host)) -}}
    {{- $host := .host -}}
    {{- $scheme := "http" -}}
    {{- range $.Values.ingress.tls -}}
      {{- if or (not .hosts) (has $host .hosts) -}}{{- $scheme = "https" -}}{{- end -}}
    {{- end -}}
    {{- $found = printf "%s://%s" $scheme $host -}}
  {{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}
{{- end -}}

{{/* What `vantage` sets and values override; "true" or empty. */}}
{{- define "vxlan-exporter.hostNetwork" -}}
{{- if kindIs "invalid" .Values.hostNetwork | ternary (eq .Values.vantage "host") .Values.hostNetwork -}}true{{- end -}}
{{- end -}}

{{- define "vxlan-exporter.rawSockets" -}}
{{- if kindIs "invalid" .Values.rawSockets | ternary (eq .Values.vantage "host") .Values.rawSockets -}}true{{- end -}}
{{- end -}}

{{/* Whether the exporter has a reflector built in. */}}
{{- define "vxlan-exporter.builtInReflector" -}}
{{- if or .Values.reflector.enabled .Values.nodePort.reflector.enabled -}}true{{- end -}}
{{- end -}}

{{/* Whether one exporter runs on every node, beside the one that reads routers. */}}
{{- define "vxlan-exporter.onEveryNode" -}}
{{- if eq .Values.kind "DaemonSet" -}}true{{- end -}}
{{- end -}}

{{/* Port of the exporter that reads routers. In the nodes' network it cannot share one with its neighbour. */}}
{{- define "vxlan-exporter.readerPort" -}}
{{- if and (include "vxlan-exporter.onEveryNode" .) (include "vxlan-exporter.hostNetwork" .) -}}
{{- .Values.service.readerPort -}}
{{- else -}}
{{- .Values.service.port -}}
{{- end -}}
{{- end -}}

{{/* Whether ScrapeConfig is used for dcTargets. `helm template` knows no capabilities: then what every version has. */}}
{{- define "vxlan-exporter.scrapeConfig" -}}
{{- $wanted := toString .Values.scrapeConfig.enabled -}}
{{- if eq $wanted "true" -}}
true
{{- else if and (eq $wanted "auto") (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1alpha1/ScrapeConfig") -}}
true
{{- end -}}
{{- end -}}

{{/* How often Prometheus asks, and what it does with what comes. */}}
{{- define "vxlan-exporter.endpoint" -}}
{{- with .Values.serviceMonitor.interval }}
interval: {{ . }}
{{- end }}
{{- with .Values.serviceMonitor.scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .Values.serviceMonitor }}
{{- if or .metricRelabelings (not .keepCreated) }}
metricRelabelings:
  {{- if not .keepCreated }}
  - sourceLabels: [__name__]
    regex: .+_created
    action: drop
  {{- end }}
  {{- with .metricRelabelings }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}
