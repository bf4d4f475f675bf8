{{/* The exporter's configuration as the values say it, with the paths of the mesh. */}}
{{- define "vxlan-exporter.givenConfig" -}}
{{- $written := include "vxlan-exporter.writtenConfig" . -}}
{{- $config := fromYaml $written -}}
{{- if and .Values.mesh.sites (not $config.Error) -}}
{{- $mesh := include "vxlan-exporter.meshPaths" (dict "mesh" .Values.mesh "here" (toString ($config.site | default ""))) | fromYamlArray -}}
{{- toYaml (set $config "paths" (concat ($config.paths | default list) $mesh)) -}}
{{- else -}}
{{ $written }}
{{- end -}}
{{- end -}}

{{/*
The paths from `here` to the representatives of each other site. The hosts with the lowest hashes of `HERE/ADDRESS` are chosen:
each site chooses others, and a host that comes or goes moves only the paths to itself.
*/}}
{{- define "vxlan-exporter.meshPaths" -}}
{{- $mesh := .mesh -}}
{{- $here := .here -}}
{{- $paths := list -}}
{{- range $site, $hosts := omit $mesh.sites $here -}}
{{- $byHash := dict -}}
{{- range $host := $hosts -}}
{{- $path := kindIs "map" $host | ternary $host (dict "address" $host) -}}
{{- $_ := set $byHash (printf "%s/%s" $here $path.address | sha256sum) $path -}}
{{- end -}}
{{- range $place, $hash := keys $byHash | sortAlpha -}}
{{- if lt $place (int $mesh.representatives) -}}
{{- $path := get $byHash $hash -}}
{{- $paths = append $paths (merge (dict "site" $site) (deepCopy $path) (dict "name" (printf "%s-%s" $site $path.address)) (deepCopy $mesh.path)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $paths -}}
{{- end -}}

{{/* The exporter's configuration as written by the user. */}}
{{- define "vxlan-exporter.writtenConfig" -}}
{{- if .Values.configText -}}
{{ .Values.configText }}
{{- else -}}
{{ toYaml .Values.config }}
{{- end -}}
{{- end -}}

{{/* The reflector section, for the pods that have one. */}}
{{- define "vxlan-exporter.reflectorConfig" -}}
listen: ":{{ .Values.reflector.port }}"
{{- with .Values.reflector.allowedSources }}
allowed_sources: {{ toJson . }}
{{- end }}
{{- if .Values.reflector.existingSecret }}
secret_file: reflector-secret
{{- end }}
{{- end -}}

{{/*
Configuration of one kind of pod: `all` (the only one), `reader` (beside others on every node) or `node` (only probes).
A pod's interface may be smaller than what nodes send, so the size to expect is said there.
*/}}
{{- define "vxlan-exporter.config" -}}
{{- $root := .root -}}
{{- $config := include "vxlan-exporter.givenConfig" $root | fromYaml -}}
{{- if and (not (include "vxlan-exporter.hostNetwork" $root)) (not (hasKey $config "expected_mtu")) -}}
{{- $_ := set $config "expected_mtu" 1500 -}}
{{- end -}}
{{- if and (ne .role "reader") (include "vxlan-exporter.builtInReflector" $root) -}}
{{- $_ := set $config "reflector" (include "vxlan-exporter.reflectorConfig" $root | fromYaml) -}}
{{- end -}}
{{- if $root.Values.probe.targets -}}
{{- $probe := $config.probe | default dict -}}
{{- if not (hasKey $probe "allowed_targets") -}}
{{- $hosts := list -}}
{{- range $target := $root.Values.probe.targets -}}
{{- $hosts = append $hosts ($target | regexFind "^(\\[[^\\]]+\\]|[^:]+)" | trimPrefix "[" | trimSuffix "]") -}}
{{- end -}}
{{- range $path := $config.paths -}}
{{- $hosts = append $hosts (toString $path.address) -}}
{{- end -}}
{{- $_ := set $config "probe" (set $probe "allowed_targets" (uniq $hosts)) -}}
{{- end -}}
{{- end -}}
{{- if eq .role "node" -}}
{{- $config = omit $config "routers" "tunnels" "router_workers" "scrape_interval" "scrape_timeout" "max_interfaces" "max_fdb_entries" -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Names of the files beside the configuration that come from `existingSecret`, as JSON {files: [...]}. */}}
{{- define "vxlan-exporter.secretFiles" -}}
{{- $root := .root -}}
{{- $config := include "vxlan-exporter.givenConfig" $root | fromYaml -}}
{{- $files := list -}}
{{- if ne .role "node" -}}
{{- range $router := $config.routers -}}
{{- range $method := list "ssh" "api" -}}
{{- range $key, $file := (get $router $method | default dict) -}}
{{- if and (hasSuffix "_file" $key) (not (and (eq $file "known_hosts") $root.Values.knownHosts)) -}}
{{- $files = append $files $file -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $path := $config.paths -}}
{{- with $path.reflector_secret_file -}}
{{- $files = append $files . -}}
{{- end -}}
{{- end -}}
{{- $beside := list -}}
{{- range $files | uniq | sortAlpha -}}
{{- if not (contains "/" .) -}}{{- $beside = append $beside . -}}{{- end -}}
{{- end -}}
{{- dict "files" $beside | toJson -}}
{{- end -}}
