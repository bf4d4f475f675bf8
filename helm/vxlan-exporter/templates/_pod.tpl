{{/*
Pod of a role: `all`, `reader` or `node`, see _config.tpl. Least privilege: no user, no file system, no token, no
capability but NET_RAW under `vantage: host`. Everything here but the host's network and NET_RAW is in the `restricted`
Pod Security level.
*/}}
{{- define "vxlan-exporter.pod" -}}
{{- $root := .root -}}
{{- $role := .role -}}
{{- $values := $root.Values -}}
{{- $fullname := include "vxlan-exporter.fullname" $root -}}
{{- $hostNetwork := include "vxlan-exporter.hostNetwork" $root -}}
{{- $port := eq $role "node" | ternary (toString $values.service.port) (include "vxlan-exporter.readerPort" $root) -}}
{{- $guarded := or $values.web.existingSecret (dig "web" "allowed_sources" list (include "vxlan-exporter.givenConfig" $root | fromYaml)) -}}
{{- $sharded := gt (include "vxlan-exporter.shards" $root | int) 1 -}}
metadata:
  labels:
    {{- include "vxlan-exporter.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ eq $role "node" | ternary "node" "exporter" }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "vxlan-exporter.podCommon" (dict "root" $root "hostNetwork" $hostNetwork "everywhere" (eq $role "node")) | nindent 2 }}
  containers:
    - name: exporter
      {{- include "vxlan-exporter.containerCommon" (dict "root" $root "rawSockets" (include "vxlan-exporter.rawSockets" $root)) | nindent 6 }}
      args:
        - --config.file=/etc/vxlan_exporter/config.yml
        {{- /* As node-exporter does: in the node's network only at the address that Kubernetes knows it by. */}}
        - --web.listen-address={{ if and $hostNetwork (not $values.web.everyAddress) }}[$(HOST_IP)]{{ end }}:{{ $port }}
        {{- if $values.web.existingSecret }}
        - --web.config.file=/etc/vxlan_exporter_web/web-config.yml
        {{- end }}
        {{- if $sharded }}
        - --shard=$(POD_NAME)/{{ include "vxlan-exporter.shards" $root }}
        {{- end }}
        {{- if eq $role "node" }}
        - --source={{ (include "vxlan-exporter.givenConfig" $root | fromYaml).site }}/$(NODE_NAME)
        {{- end }}
        - --log.level={{ $values.logLevel }}
        - --log.format={{ $values.logFormat }}
        {{- with $values.extraArgs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        - name: HOST_IP
          valueFrom:
            fieldRef:
              fieldPath: status.hostIP
        - name: NODE_NAME
          valueFrom:
            fieldRef:
              fieldPath: spec.nodeName
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: metrics
          containerPort: {{ $port }}
          protocol: TCP
        {{- if and (ne $role "reader") (include "vxlan-exporter.builtInReflector" $root) }}
        - name: reflector
          containerPort: {{ $values.reflector.port }}
          protocol: TCP
        {{- end }}
      {{- /* What /-/healthy says, asked inside the container: the kubelet has no password, no certificate and is no allowed
             source, and a crowd at the port must not get the exporter killed. */}}
      livenessProbe:
        exec:
          command: [/vxlan_exporter, healthy, --port={{ $port }}]
        {{- toYaml $values.livenessProbe | nindent 8 }}
      readinessProbe:
        {{- if $guarded }}
        exec:
          command: [/vxlan_exporter, healthy, --port={{ $port }}]
        {{- else }}
        httpGet:
          path: /-/ready
          port: metrics
        {{- end }}
        {{- toYaml $values.readinessProbe | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/vxlan_exporter
          readOnly: true
        {{- if $values.web.existingSecret }}
        - name: web
          mountPath: /etc/vxlan_exporter_web
          readOnly: true
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with $values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "vxlan-exporter.configVolume" (dict "root" $root "role" $role) | nindent 4 }}
    {{- with $values.web.existingSecret }}
    - name: web
      secret:
        secretName: {{ . }}
        defaultMode: 288 # 0440
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* The configuration and the files it names, in one directory. A file of mode 0400 would be root's: the group reads. */}}
{{- define "vxlan-exporter.configVolume" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $files := (include "vxlan-exporter.secretFiles" . | fromJson).files -}}
- name: config
  projected:
    defaultMode: 288 # 0440
    sources:
      - configMap:
          name: {{ include "vxlan-exporter.fullname" $root }}{{ if eq .role "node" }}-nodes{{ end }}
      {{- if and $values.existingSecret $files }}
      - secret:
          name: {{ $values.existingSecret }}
          {{- /* Only what is needed: no key of a router on nodes that only probe. */}}
          items:
            {{- range $files }}
            - key: {{ . }}
              path: {{ . }}
            {{- end }}
      {{- end }}
      {{- if and $values.reflector.existingSecret (ne .role "reader") (include "vxlan-exporter.builtInReflector" $root) }}
      - secret:
          name: {{ $values.reflector.existingSecret }}
          items:
            - key: reflector-secret
              path: reflector-secret
      {{- end }}
{{- end -}}

{{/* What every pod of the chart has. */}}
{{- define "vxlan-exporter.podCommon" -}}
{{- $values := .root.Values -}}
serviceAccountName: {{ include "vxlan-exporter.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- if .hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- with $values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- $security := dict "runAsNonRoot" true "runAsUser" 65532 "runAsGroup" 65532 "fsGroup" 65532 "seccompProfile" (dict "type" "RuntimeDefault") }}
  {{- if not .hostNetwork }}
  {{- /* A safe sysctl, for ping without a capability. In the node's network the node's own counts. */}}
  {{- $_ := set $security "sysctls" (list (dict "name" "net.ipv4.ping_group_range" "value" "0 2147483647")) }}
  {{- end }}
  {{- mergeOverwrite $security $values.podSecurityContext | toYaml | nindent 2 }}
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
nodeSelector:
  kubernetes.io/os: linux
  {{- with $values.nodeSelector }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if and $values.topologySpreadConstraints (not .everywhere) }}
topologySpreadConstraints:
  {{- toYaml $values.topologySpreadConstraints | nindent 2 }}
{{- end }}
tolerations:
  {{- /* Rancher taints the Linux nodes of clusters with Windows. */}}
  - key: cattle.io/os
    operator: Equal
    value: linux
    effect: NoSchedule
  {{- with .everywhere | ternary $values.daemonSetTolerations $values.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* What every container of the chart has. */}}
{{- define "vxlan-exporter.containerCommon" -}}
image: {{ include "vxlan-exporter.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- $capabilities := dict "drop" (list "ALL") }}
  {{- if .rawSockets }}
  {{- $_ := set $capabilities "add" (list "NET_RAW") }}
  {{- end }}
  {{- $security := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "privileged" false "runAsNonRoot" true "capabilities" $capabilities }}
  {{- mergeOverwrite $security .root.Values.securityContext | toYaml | nindent 2 }}
{{- with .root.Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What every DaemonSet of the chart has. */}}
{{- define "vxlan-exporter.daemonSet" -}}
{{- with .Values.revisionHistoryLimit }}
revisionHistoryLimit: {{ . }}
{{- end }}
updateStrategy:
  {{- .Values.daemonSetUpdateStrategy | default (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxUnavailable" 1 "maxSurge" 0)) | toYaml | nindent 2 }}
{{- end -}}
