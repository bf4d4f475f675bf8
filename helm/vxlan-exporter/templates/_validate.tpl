{{/* What cannot work is said here, with what to do. */}}
{{- define "vxlan-exporter.validate" -}}
{{- if not .Values.image.repository -}}
{{- fail "image.repository is empty, and there is no public image. Build one with `make image`, then either push it to your registry or import it on every node, and set image.repository to its name. docs/rancher.md has the commands." -}}
{{- end -}}
{{- end -}}
