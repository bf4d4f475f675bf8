{{/*
What cannot work is said here, with what to do. What the schema can say (types, misspelt keys, ranges) stands there. Nothing is
read from the cluster but what Helm reads anyway: an installation must not need more rights than its objects do.
*/}}
{{- define "vxlan-exporter.validate" -}}
{{- include "vxlan-exporter.validateConfig" . -}}
{{- include "vxlan-exporter.validatePods" . -}}
{{- include "vxlan-exporter.validateExtras" . -}}
{{- include "vxlan-exporter.validatePorts" . -}}
{{- include "vxlan-exporter.validateMonitoring" . -}}
{{- end -}}

{{- define "vxlan-exporter.validateConfig" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository is empty, and there is no public image. Build one with `make image`, push it to your registry or import it on every node, and set image.repository to its name. docs/rancher.md has the commands." -}}
{{- end -}}
{{- if and .Values.config .Values.configText -}}
{{- fail "config and configText are both set: keep one of them." -}}
{{- end -}}
{{- $config := include "vxlan-exporter.givenConfig" . | fromYaml -}}
{{- if and .Values.mesh.sites (not (hasKey .Values.mesh.sites (toString ($config.site | default "")))) -}}
{{- fail (printf "mesh.sites has no site %q, which is config.site: without it this cluster would probe its own hosts, and no other site would probe them. Its sites are %s." (toString ($config.site | default "")) (keys .Values.mesh.sites | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if and .Values.configText (or $config.Error (not $config)) -}}
{{- fail (printf "configText is not a YAML map (%s): `vxlan_exporter config check --config.file=FILE` says where." ($config.Error | default "no key in it")) -}}
{{- end -}}
{{- if $config.reflector -}}
{{- fail "config.reflector: the chart writes this section. Set reflector.enabled (or nodePort.reflector.enabled), reflector.port, reflector.allowedSources and reflector.existingSecret instead." -}}
{{- end -}}
{{- if and (not $config.site) (or $config.paths (eq .Values.kind "DaemonSet")) -}}
{{- fail "config.site is empty: set it to the name of the site where this cluster is. It becomes the label `source` of its paths." -}}
{{- end -}}
{{- $files := (include "vxlan-exporter.secretFiles" (dict "root" . "role" "all") | fromJson).files -}}
{{- if and $files (not .Values.existingSecret) -}}
{{- fail (printf "The configuration names files (%s), and existingSecret is empty. Make a Secret in namespace %s with a key for each file, e.g. `kubectl -n %s create secret generic vxlan-exporter-files%s`, and set existingSecret to its name.%s" (join ", " $files) (include "vxlan-exporter.namespace" .) (include "vxlan-exporter.namespace" .) (include "vxlan-exporter.fromFile" $files) (has "known_hosts" $files | ternary " known_hosts may be given as knownHosts instead." "")) -}}
{{- end -}}
{{- end -}}

{{- define "vxlan-exporter.fromFile" -}}
{{- range . }} --from-file={{ . }}{{ end -}}
{{- end -}}

{{- define "vxlan-exporter.validatePods" -}}
{{- $hostNetwork := include "vxlan-exporter.hostNetwork" . -}}
{{- if and .Values.replicas (ne (int .Values.shards) 1) (ne (int .Values.replicas) (int .Values.shards)) -}}
{{- fail "replicas and shards are two words for the same number: set one of them." -}}
{{- end -}}
{{- if and (gt (include "vxlan-exporter.shards" . | int) 1) (eq .Values.kind "DaemonSet") -}}
{{- fail "shards and kind DaemonSet exclude each other: shards share the paths of one configuration, on every node of a DaemonSet they would all be probed. Set shards to 1, or kind to Deployment." -}}
{{- end -}}
{{- if and .Values.probe.targets (eq .Values.kind "DaemonSet") -}}
{{- fail "probe.targets with kind DaemonSet: each probe would be answered by another node. Put the targets into config.paths, which every node probes, or set kind to Deployment." -}}
{{- end -}}
{{- if and .Values.podDisruptionBudget.enabled (lt (include "vxlan-exporter.shards" . | int) 2) -}}
{{- fail "podDisruptionBudget.enabled with one exporter would do nothing, or block the drain of its node: set shards, or leave it off." -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled $hostNetwork -}}
{{- fail "networkPolicy.enabled: a NetworkPolicy does not act on pods in the node's network, so it would protect nothing. Set web.existingSecret (TLS and passwords) or config.web.allowed_sources, or vantage to pod." -}}
{{- end -}}
{{- $builtIn := include "vxlan-exporter.builtInReflector" . -}}
{{- if and $builtIn $hostNetwork .Values.reflector.hostNetwork -}}
{{- fail (printf "Two reflectors would want port %d of a node: reflector.hostNetwork is one on every node already. Turn off reflector.enabled and nodePort.reflector.enabled; exporters elsewhere reach it at the address of any node." (int .Values.reflector.port)) -}}
{{- end -}}
{{- if and $hostNetwork (eq .Values.kind "DaemonSet") -}}
{{- $ports := list (int .Values.service.port) (int .Values.service.readerPort) (int .Values.reflector.port) -}}
{{- if lt (len (uniq $ports)) 3 -}}
{{- fail "service.port, service.readerPort and reflector.port are ports of one node here: give each a number of its own." -}}
{{- end -}}
{{- else if eq (int .Values.service.port) (int .Values.reflector.port) -}}
{{- fail "service.port and reflector.port are the same: give each a number of its own." -}}
{{- end -}}
{{- end -}}

{{/* What the chart writes itself: given once more, the pod would not start, or Kubernetes would take one of the two. */}}
{{- define "vxlan-exporter.validateExtras" -}}
{{- $flags := dict
  "--config.file" "config or configText"
  "--web.listen-address" "service.port, and web.everyAddress for all addresses of a node,"
  "--web.config.file" "web.existingSecret"
  "--shard" "shards"
  "--source" "config.site, and kind DaemonSet for one source on every node,"
  "--log.level" "logLevel"
  "--log.format" "logFormat"
-}}
{{- range .Values.extraArgs -}}
{{- $flag := regexFind "^[^= ]+" . -}}
{{- with get $flags $flag -}}
{{- fail (printf "extraArgs: the chart sets %s itself. Set %s instead." $flag (trimSuffix "," .)) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if has .name (list "HOST_IP" "NODE_NAME" "POD_NAME") -}}
{{- fail (printf "extraEnv: the chart sets %s itself: leave it out, or choose another name." .name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraVolumes -}}
{{- if has .name (list "config" "web") -}}
{{- fail (printf "extraVolumes: the chart has a volume %s itself: choose another name." .name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- if has (trimSuffix "/" .mountPath) (list "/etc/vxlan_exporter" "/etc/vxlan_exporter_web") -}}
{{- fail (printf "extraVolumeMounts: the chart mounts its own files at %s: choose another mountPath." .mountPath) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "vxlan-exporter.validatePorts" -}}
{{- $config := include "vxlan-exporter.givenConfig" . | fromYaml -}}
{{- $pinned := or .Values.nodeSelector (dig "nodeAffinity" "requiredDuringSchedulingIgnoredDuringExecution" "" (.Values.affinity | default dict)) -}}
{{- $metrics := .Values.nodePort.metrics -}}
{{- $reflector := .Values.nodePort.reflector -}}
{{- $pin := "externalTrafficPolicy Local answers only on nodes where a pod of it runs, and nothing says where that is. Pin it with nodeSelector (`kubernetes.io/hostname: NODE`), or choose Cluster" -}}
{{- $typed := ne .Values.service.type "ClusterIP" -}}
{{- if and $typed (not .Values.web.existingSecret) -}}
{{- fail (printf "service.type %s would open /metrics to everyone who reaches it. Set web.existingSecret to a Secret with TLS and passwords (web-config.yml)." .Values.service.type) -}}
{{- end -}}
{{- if and (or $typed .Values.ingress.enabled) (gt (include "vxlan-exporter.shards" . | int) 1) -}}
{{- fail "service.type and ingress with shards: each request would meet another of them. Leave them off, or set shards to 1." -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.hosts is empty: list the names under which the exporter is reached, [{host: NAME}]." -}}
{{- end -}}
{{- if $metrics.enabled -}}
{{- if gt (include "vxlan-exporter.shards" . | int) 1 -}}
{{- fail "nodePort.metrics with shards: each scrape would meet another of them. Scrape them from inside the cluster, and federate." -}}
{{- end -}}
{{- $sources := dig "web" "allowed_sources" list $config -}}
{{- if and (not .Values.web.existingSecret) (not (and $sources (eq $metrics.externalTrafficPolicy "Local"))) -}}
{{- fail "nodePort.metrics would open /metrics on every node to everyone. Set web.existingSecret to a Secret with TLS and passwords (web-config.yml); or choose externalTrafficPolicy Local, which keeps source addresses, and list who may ask in config.web.allowed_sources." -}}
{{- end -}}
{{- if and (eq $metrics.externalTrafficPolicy "Local") (not $pinned) -}}
{{- fail (printf "nodePort.metrics: %s." $pin) -}}
{{- end -}}
{{- end -}}
{{- if $reflector.enabled -}}
{{- if and (eq $reflector.externalTrafficPolicy "Local") (eq .Values.kind "Deployment") (not $pinned) -}}
{{- fail (printf "nodePort.reflector: %s, or kind DaemonSet, which is on every node." $pin) -}}
{{- end -}}
{{- if and (eq $reflector.externalTrafficPolicy "Cluster") .Values.reflector.allowedSources -}}
{{- fail "nodePort.reflector: with externalTrafficPolicy Cluster the source address of everyone is a node's, so reflector.allowedSources would refuse all or nobody. Choose Local, or reflector.existingSecret." -}}
{{- end -}}
{{- end -}}
{{- if and $metrics.enabled $reflector.enabled $metrics.port (eq (int $metrics.port) (int $reflector.port)) -}}
{{- fail "nodePort.metrics.port and nodePort.reflector.port are the same: give each a number of its own." -}}
{{- end -}}
{{- if and .Values.web.tls (not .Values.web.existingSecret) -}}
{{- fail "web.tls is true and web.existingSecret is empty: set it to the Secret that holds web-config.yml, the certificate and its key." -}}
{{- end -}}
{{- end -}}

{{- define "vxlan-exporter.validateMonitoring" -}}
{{- $on := ne .Values.monitoring "none" -}}
{{- if and .Values.web.tls $on .Values.serviceMonitor.enabled (not .Values.serviceMonitor.tlsConfig) -}}
{{- fail "web.tls is true: say in serviceMonitor.tlsConfig how Prometheus checks the certificate, {ca: {secret: {name: NAME, key: ca.crt}}, serverName: NAME}, or {insecureSkipVerify: true}." -}}
{{- end -}}
{{- $live := include "vxlan-exporter.live" . -}}
{{- $dashboards := .Values.dashboards.namespace -}}
{{- if and $on $live .Values.dashboards.enabled $dashboards (not (include "vxlan-exporter.hasNamespace" (dict "namespace" $dashboards))) -}}
{{- fail (printf "dashboards.namespace: this cluster has no namespace %s. Create it, leave dashboards.namespace empty, or set dashboards.enabled to false." $dashboards) -}}
{{- end -}}
{{- if and $on $live (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) -}}
{{- fail (printf "This cluster has no ServiceMonitor and no PrometheusRule: install %s first, or set monitoring to none." (eq .Values.monitoring "rancher" | ternary "Rancher Monitoring (Cluster Tools, Monitoring)" "kube-prometheus-stack")) -}}
{{- end -}}
{{- if and .Values.dcTargets (not $on) -}}
{{- fail "dcTargets are scraped by a Prometheus operator, and monitoring is none: list them in your Prometheus's own scrape_configs." -}}
{{- end -}}
{{- $scrapeConfig := include "vxlan-exporter.scrapeConfig" . -}}
{{- if and .Values.dcTargets $scrapeConfig $live (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1alpha1/ScrapeConfig")) -}}
{{- fail "scrapeConfig.enabled is true and this cluster's operator has no ScrapeConfig (Rancher 2.8 and earlier): set it to auto." -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.dcTargets -}}
{{- if has .name $names -}}
{{- fail (printf "dcTargets: two have the name %s." .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- if and (not $scrapeConfig) (not (regexMatch "^([0-9]+[.]){3}[0-9]+$|:" .address)) -}}
{{- fail (printf "dcTargets %s: address %s is a name, which only a ScrapeConfig can hold (Rancher 2.9 and later). Write an IP address, or set scrapeConfig.enabled to true." .name .address) -}}
{{- end -}}
{{- end -}}
{{- with .Values.alertmanagerConfig -}}
{{- if .enabled -}}
{{- if not $on -}}
{{- fail "alertmanagerConfig is an object of the Prometheus operator, and monitoring is none: set receivers in your Alertmanager's own configuration." -}}
{{- end -}}
{{- if and (eq .receiver "webhook") (not .webhook.url) (not .webhook.existingSecret) -}}
{{- fail "alertmanagerConfig: set webhook.url, or webhook.existingSecret to a Secret with the URL under the key webhook.secretKey." -}}
{{- end -}}
{{- if and (eq .receiver "slack") (or (not .slack.existingSecret) (not .slack.channel)) -}}
{{- fail "alertmanagerConfig: set slack.channel, and slack.existingSecret to a Secret with Slack's webhook URL under the key slack.secretKey." -}}
{{- end -}}
{{- if and (eq .receiver "email") (or (not .email.to) (not .email.from) (not .email.smarthost)) -}}
{{- fail "alertmanagerConfig: set email.to, email.from and email.smarthost (HOST:PORT)." -}}
{{- end -}}
{{- if and (eq .receiver "email") .email.username (not .email.existingSecret) -}}
{{- fail "alertmanagerConfig: email.username needs email.existingSecret, a Secret with the password under the key email.secretKey." -}}
{{- end -}}
{{- if and (eq .receiver "custom") (not .custom) -}}
{{- fail "alertmanagerConfig: receiver is custom, so write in alertmanagerConfig.custom what a receiver of an AlertmanagerConfig has, e.g. pagerdutyConfigs." -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
