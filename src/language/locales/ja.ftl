### Japanese. Above each message stands its English sentence, from which its name is made: a test tells
### what is missing, and what has changed in English. `{ $name }` stands where `{name}` stands in English.
### Words: 経路MTU, ブラックホール, 断片化, 到達不能, パケットロス, アンダーレイ, 行き and 戻り for the directions,
### 「…に対し…」 for an expected value and the one found; commands, settings and names stay as they are.

## command/check.rs

# reading {routers}: about {time}
reading-routers-about-time = ルータ { $routers }から情報を取得中: 約 { $time }

# reading {routers} and probing 1 path: {look}
reading-routers-and-probing-1-path-look = ルータ { $routers }から情報を取得し、1 本のパスを測定中: { $look }

# reading {routers} and probing {paths} paths: {look} each; {all} share {packets} a second, so this takes longer than 10 s
reading-routers-and-probing-paths-paths-look-each-all-share-packets-a-second-so-this-takes-longer = ルータ { $routers }から情報を取得し、{ $paths } 本のパスを測定中: 各パス { $look }。{ $all }で毎秒 { $packets }を分け合うため、10 秒より長くかかる

# reading {routers} and probing {paths} paths: {look} each
reading-routers-and-probing-paths-paths-look-each = ルータ { $routers }から情報を取得し、{ $paths } 本のパスを測定中: 各パス { $look }

# the routers ping each other: at most {time}
the-routers-ping-each-other-at-most-time = ルータ間で ping を実行中: 最長 { $time }

# router {name}: {reason}: {message}
router-name-reason-message = ルータ { $name }: { $reason }: { $message }

# router {name}: {interfaces}, read in {time} s
router-name-interfaces-read-in-time-s = ルータ { $name }: { $interfaces }、所要時間 { $time } 秒

# router {name}: not read
router-name-not-read = ルータ { $name }: 未取得

# {what} ({reason})
what-reason = { $what }（{ $reason }）

# {what}: {why}
what-why = { $what }: { $why }

# path {name}: {what}
path-name-what = パス { $name }: { $what }

## command/look.rs

# about {about}, at most {most}, {rate} small echoes a second
about-about-at-most-most-rate-small-echoes-a-second = 約 { $about }、最長 { $most }、小さなエコーを毎秒 { $rate } 個

## command/probe.rs

# probing {target}: {look}; Ctrl-C ends it early
probing-target-look-Ctrl-C-ends-it-early = { $target } を測定中: { $look }。Ctrl-C で打ち切り

## command/probe/progress.rs

# echoes: {sent} sent
echoes-sent-sent = エコー: 送信 { $sent }

# {number} answered
number-answered = 応答 { $number }

# RTT {time} ms
RTT-time-ms = RTT { $time } ms

# up to {largest} bytes answered
up-to-largest-bytes-answered = { $largest } バイトまで応答あり

# searching
searching = 探索中

## history/path.rs

# {what} {directions}
what-directions = { $what }（{ $directions }）

## history/tunnel.rs

# up
up = アップ

# down
down = ダウン

# not known
not-known = 不明

# mismatch of {fields}
mismatch-of-fields = { $fields } の不一致

# a bridge drops large frames
a-bridge-drops-large-frames = ブリッジが大きなフレームを破棄

## model/observation/meaning.rs

# packets of full size
packets-of-full-size = フルサイズのパケット

# this path will not make HTTPS hang
this-path-will-not-make-HTTPS-hang = このパスが原因で HTTPS が止まることはない

# {packets} come back whole; {then}
packets-come-back-whole-then = { $packets }は往復とも断片化されずに届く。{ $then }

# HTTPS works: {refused} are rejected with an ICMP message, and TCP adapts to it
HTTPS-works-refused-are-rejected-with-an-ICMP-message-and-TCP-adapts-to-it = HTTPS は使える。{ $refused }には ICMP で通知が返り、TCP はそれに合わせる

# TCP connections carry no payload; in addition, {hole}
TCP-connections-carry-no-payload-in-addition-hole = TCP 接続でデータが届かない。さらに、{ $hole }

# no TCP connection can be opened; in addition, {hole}
no-TCP-connection-can-be-opened-in-addition-hole = TCP 接続を確立できない。さらに、{ $hole }

# connections work, but slowly: too many packets are lost on the way
connections-work-but-slowly-too-many-packets-are-lost-on-the-way = 接続はできるが遅い。途中のパケットロスが多すぎる

# nothing works: no packet of any size comes back
nothing-works-no-packet-of-any-size-comes-back = 通信不能。どのサイズのパケットにも応答がない

# TCP connections open, but nothing sent on them arrives, whatever its size, while ping passes
TCP-connections-open-but-nothing-sent-on-them-arrives-whatever-its-size-while-ping-passes = ping は通り TCP 接続も確立するが、その接続で送ったデータはサイズにかかわらず届かない

# this machine can open no TCP connection: its kernel's SYNs vanish, while ping and raw SYNs pass
this-machine-can-open-no-TCP-connection-its-kernel-s-SYNs-vanish-while-ping-and-raw-SYNs-pass = このマシンからは TCP 接続を確立できない。ping と raw ソケットで送った SYN は通るが、カーネルが送る SYN は消える

# no TCP connection can be opened: TCP packets of any size vanish, while ping passes
no-TCP-connection-can-be-opened-TCP-packets-of-any-size-vanish-while-ping-passes = TCP 接続を確立できない。ping は通るが、TCP パケットはサイズにかかわらず消える

# but port {port} of the target does not answer, while another port does: a firewall drops it
but-port-port-of-the-target-does-not-answer-while-another-port-does-a-firewall-drops-it = ただし、宛先のポート { $port } は応答せず、別のポートは応答する。ファイアウォールが破棄している

# but port {port} of the target accepts no payload, while another port does: because of a firewall, or of its server
but-port-port-of-the-target-accepts-no-payload-while-another-port-does-because-of-a-firewall-or-of = ただし、宛先のポート { $port } はデータを受け取らず、別のポートは受け取る。原因はファイアウォールか、そのサーバ

# HTTPS will hang: {packets} vanish in both directions without a signal, while ping and other small packets pass
HTTPS-will-hang-packets-vanish-in-both-directions-without-a-signal-while-ping-and-other-small-packets = HTTPS 通信が途中で止まる。{ $packets }が行き・戻りとも ICMP の通知なしに消え、ping などの小さなパケットは通る

# HTTPS will hang: {packets} vanish on the way to the target without a signal (the way back is not measured), while ping and other small packets pass
HTTPS-will-hang-packets-vanish-on-the-way-to-the-target-without-a-signal-the-way-back-is-not-measured = HTTPS 通信が途中で止まる。{ $packets }が行き（宛先方向）で ICMP の通知なしに消え（戻りは未測定）、ping などの小さなパケットは通る

# HTTPS will hang where much is sent (uploads): {packets} vanish on the way to the target without a signal, while ping and other small packets pass
HTTPS-will-hang-where-much-is-sent-uploads-packets-vanish-on-the-way-to-the-target-without-a-signal = 送信量の多い HTTPS（アップロード）が止まる。{ $packets }が宛先への行きで通知なしに消え、ping などの小さなパケットは通る

# HTTPS will hang: {packets} vanish on the way back without a signal (the way to the target was not tested), while ping and other small packets pass
HTTPS-will-hang-packets-vanish-on-the-way-back-without-a-signal-the-way-to-the-target-was-not-tested = HTTPS 通信が途中で止まる。{ $packets }が戻りで ICMP の通知なしに消え（行きは未測定）、ping などの小さなパケットは通る

# HTTPS will hang where much is received (pages, downloads): {packets} vanish on the way back without a signal, while ping and other small packets pass
HTTPS-will-hang-where-much-is-received-pages-downloads-packets-vanish-on-the-way-back-without-a-signal = 受信量の多い HTTPS（ページ表示、ダウンロード）が止まる。{ $packets }が戻りで通知なしに消え、ping などの小さなパケットは通る

# HTTPS will hang: {packets} vanish without a signal, while ping and other small packets pass
HTTPS-will-hang-packets-vanish-without-a-signal-while-ping-and-other-small-packets-pass = HTTPS が止まる。{ $packets }が通知なしに消え、ping などの小さなパケットは通る

# packets of {mtu} bytes
packets-of-mtu-bytes = { $mtu } バイトのパケット

# packets above {mtu} bytes
packets-above-mtu-bytes = { $mtu } バイトを超えるパケット

# whether HTTPS will hang is not known: this machine's own interface cannot send {packets}
whether-HTTPS-will-hang-is-not-known-this-machine-s-own-interface-cannot-send-packets = HTTPS が止まるかどうかは不明。このマシンのインタフェースでは{ $packets }を送れない

# whether HTTPS will hang is not known: the far end cannot receive packets of full size
whether-HTTPS-will-hang-is-not-known-the-far-end-cannot-receive-packets-of-full-size = HTTPS が止まるかどうかは不明。相手側がフルサイズのパケットを受け取れない

# uploads will not hang; whether downloads will is not known: the way back could not be measured
uploads-will-not-hang-whether-downloads-will-is-not-known-the-way-back-could-not-be-measured = アップロードは止まらない。ダウンロードが止まるかどうかは不明。戻りを測定できなかった

# whether HTTPS will hang is not known: a firewall drops large pings, so they prove nothing
whether-HTTPS-will-hang-is-not-known-a-firewall-drops-large-pings-so-they-prove-nothing = HTTPS が止まるかどうかは不明。ファイアウォールが大きな ping を破棄するため、ping では判定できない

# whether HTTPS will hang is not known yet
whether-HTTPS-will-hang-is-not-known-yet = HTTPS が止まるかどうかはまだ不明

# whether HTTPS will hang is not known: this machine itself cannot send or receive
whether-HTTPS-will-hang-is-not-known-this-machine-itself-cannot-send-or-receive = HTTPS が止まるかどうかは不明。このマシン自身が送受信できない

# there is no network to test: the target is this machine's own address
there-is-no-network-to-test-the-target-is-this-machine-s-own-address = 測定すべきネットワークがない。宛先はこのマシン自身のアドレス

# whether HTTPS will hang is not known: the exporter itself has stopped probing
whether-HTTPS-will-hang-is-not-known-the-exporter-itself-has-stopped-probing = HTTPS が止まるかどうかは不明。exporter 自身の測定が止まっている

# whether HTTPS will hang is not known: no proof either way with packets of full size
whether-HTTPS-will-hang-is-not-known-no-proof-either-way-with-packets-of-full-size = HTTPS が止まるかどうかは不明。フルサイズのパケットが通るとも通らないとも確認できていない

## model/types/dropped.rs

# 1 interface
n-1-interface = インタフェース 1 個

# 1 forwarding entry
n-1-forwarding-entry = FDB エントリ 1 件

# 1 forwarding entry to further remotes
n-1-forwarding-entry-to-further-remotes = 上限を超えるリモートへの FDB エントリ 1 件

# 1 range of VNIs
n-1-range-of-VNIs = VNI の範囲 1 個

# 1 address
n-1-address = アドレス 1 個

# 1 value
n-1-value = 値 1 個

# 1 interface with an impossible name
n-1-interface-with-an-impossible-name = 不正な名前のインタフェース 1 個

# 1 item that cannot be understood
n-1-item-that-cannot-be-understood = 解釈できない項目 1 件

# 1 list of forwarding entries
n-1-list-of-forwarding-entries = FDB エントリの一覧 1 件

# 1 list of VNI filters
n-1-list-of-VNI-filters = VNI フィルタの一覧 1 件

# 1 answer on a route
n-1-answer-on-a-route = 経路についての応答 1 件

# {number} interfaces
number-interfaces = インタフェース { $number } 個

# {number} forwarding entries
number-forwarding-entries = FDB エントリ { $number } 件

# {number} forwarding entries to further remotes
number-forwarding-entries-to-further-remotes = 上限を超えるリモートへの FDB エントリ { $number } 件

# {number} ranges of VNIs
number-ranges-of-VNIs = VNI の範囲 { $number } 個

# {number} addresses
number-addresses = アドレス { $number } 個

# {number} values
number-values = 値 { $number } 個

# {number} interfaces with impossible names
number-interfaces-with-impossible-names = 不正な名前のインタフェース { $number } 個

# {number} items that cannot be understood
number-items-that-cannot-be-understood = 解釈できない項目 { $number } 件

# {number} lists of forwarding entries
number-lists-of-forwarding-entries = FDB エントリの一覧 { $number } 件

# {number} lists of VNI filters
number-lists-of-VNI-filters = VNI フィルタの一覧 { $number } 件

# {number} answers on routes
number-answers-on-routes = 経路についての応答 { $number } 件

# raise {keys} if the router really has so many
raise-keys-if-the-router-really-has-so-many = ルータに本当にそれだけあるなら、{ $keys } を増やす

# check what it prints: a router that works does not print so much
check-what-it-prints-a-router-that-works-does-not-print-so-much = ルータの出力を確認する。正常なルータはこれほど大量には出力しない

# everything else is used; whether the left-out items exist is not known
everything-else-is-used-whether-the-left-out-items-exist-is-not-known = それ以外はすべて使う。除外したものが実在するかどうかは不明

## model/words.rs

# unreachable
unreachable = 到達不能

# blackhole
blackhole = ブラックホール

# lossy
lossy = パケットロス

# reduced
reduced = MTU 縮小

# unknown
unknown = 不明

# ok
ok = 正常

# forward
forward = 行き

# reverse
reverse = 戻り

# starting
starting = 測定開始直後

# dns
dns = 名前解決不可

# local_limit
local_limit = 自インタフェースの MTU 不足

# peer_limit
peer_limit = 対向側の MTU 不足

# reverse_unmeasured
reverse_unmeasured = 戻りは未測定

# large_icmp_filtered
large_icmp_filtered = 大きな ICMP がフィルタされている

# no_proof
no_proof = 確証なし

# local_down
local_down = 自ホストがリンクダウンまたは経路なし

# local_send
local_send = 自ホストから送信不可

# own_address
own_address = 宛先が自ホスト

# stale
stale = 情報が古い

# local limit
local-limit = 自インタフェースの MTU 不足

# peer limit
peer-limit = 対向側の MTU 不足

# reverse unmeasured
reverse-unmeasured = 戻りは未測定

# large icmp filtered
large-icmp-filtered = 大きな ICMP がフィルタされている

# no proof
no-proof = 確証なし

# local down
local-down = 自ホストがリンクダウンまたは経路なし

# local send
local-send = 自ホストから送信不可

# own address
own-address = 宛先が自ホスト

# size
size = サイズ

# tcp_dead
tcp_dead = TCP 不通

# used
used = 使用中

# gone
gone = 応答なし

# vni
vni = VNI

# port
port = ポート

# mtu
mtu = MTU

# df
df = DF

# remote
remote = リモート

# paired
paired = ペア確定

# half
half = 片端のみ

# ambiguous
ambiguous = 特定不能

# connect
connect = 接続不可

# refused
refused = 接続拒否

# key_exchange
key_exchange = 鍵交換失敗

# auth
auth = 認証失敗

# hostkey_mismatch
hostkey_mismatch = ホスト鍵の不一致

# hostkey_unknown
hostkey_unknown = ホスト鍵が未登録

# timeout
timeout = タイムアウト

# truncated
truncated = 出力が途中まで

# permission
permission = 権限不足

# command
command = コマンド失敗

# parse
parse = 解釈不能

# api
api = API エラー

# config
config = 設定の問題

# key exchange
key-exchange = 鍵交換失敗

# hostkey mismatch
hostkey-mismatch = ホスト鍵の不一致

# hostkey unknown
hostkey-unknown = ホスト鍵が未登録

# 1 path
n-1-path = パス 1 本

# {number} paths
number-paths = パス { $number } 本

# 1 router
n-1-router = 1 台

# {number} routers
number-routers = { $number } 台

# 1 tunnel
n-1-tunnel = トンネル 1 本

# {number} tunnels
number-tunnels = トンネル { $number } 本

# 1 site
n-1-site = 拠点 1 か所

# {number} sites
number-sites = 拠点 { $number } か所

# 1 packet
n-1-packet = 1 パケット

# {number} packets
number-packets = { $number } パケット

# 1 small echo
n-1-small-echo = 小さなエコー 1 個

# {number} small echoes
number-small-echoes = 小さなエコー { $number } 個

# 1 vxlan interface
n-1-vxlan-interface = vxlan インタフェース 1 個

# {number} vxlan interfaces
number-vxlan-interfaces = vxlan インタフェース { $number } 個

# {seconds} s
seconds-s = { $seconds } 秒

# 1 command
n-1-command = コマンド 1 個

# {number} commands
number-commands = コマンド { $number } 個

## report.rs

# all is well
all-is-well = 異常なし

# something is wrong
something-is-wrong = 異常あり

# something could not be found out
something-could-not-be-found-out = 判定できないものあり

# exit code {code}: {why}
exit-code-code-why = 終了コード { $code }: { $why }

# nothing configured: no routers and no paths
nothing-configured-no-routers-and-no-paths = 設定が空: ルータもパスもない

# nothing to judge: {routers} read, no vxlan tunnel found, and no path configured
nothing-to-judge-routers-read-no-vxlan-tunnel-found-and-no-path-configured = 判定対象なし: ルータ { $routers }の情報を取得したが、VXLAN トンネルが見つからず、パスの設定もない

# {routers} read
routers-read = ルータ { $routers }の情報を取得

# {tunnels} without a fault
tunnels-without-a-fault = { $tunnels }に異常なし

# {paths} ok
paths-ok = { $paths }が正常

# {paths} reduced
paths-reduced = { $paths }が MTU 縮小

# {counts}: hosts are told to send less, nothing hangs
counts-hosts-are-told-to-send-less-nothing-hangs = { $counts }。ホストには ICMP で MTU が通知されるため、通信は止まらない

# paths {names}: {what}
paths-names-what = パス { $names }: { $what }

# tunnels {names}: {what}
tunnels-names-what = トンネル { $names }: { $what }

# routers {names}: {what}
routers-names-what = ルータ { $names }: { $what }

# {names} and {more} more
names-and-more-more = { $names }、ほか { $more } 件

# OK
OK = 正常

# PROBLEM
PROBLEM = 異常

# UNKNOWN
UNKNOWN = 不明

# seen:
seen = 観測結果:

# cause: named above
cause-named-above = 原因: 上記のとおり

# cause:
cause = 原因:

# seen: as on path {name}
seen-as-on-path-name = 観測結果: パス { $name } と同じ

# seen: as on tunnel {name}
seen-as-on-tunnel-name = 観測結果: トンネル { $name } と同じ

# seen: as on router {name}
seen-as-on-router-name = 観測結果: ルータ { $name } と同じ

# fix: the commands above
fix-the-commands-above = 対処: 上記のコマンド

# fix, in this order:
fix-in-this-order = 対処（この順に）:

# fix:
fix = 対処:

# on {router}
on-router = ルータ { $router }

## report/one_path.rs

# nothing was probed
nothing-was-probed = 何も測定していない

# target
target = 宛先

# verdict
verdict = 判定

# path MTU
path-MTU = 経路 MTU

# loss
loss = ロス

# RTT
RTT = RTT

# not seen:
not-seen = 測定できなかったもの:

# {target} ({address})
target-address = { $target }（{ $address }）

# {target}, TCP port {port}
target-TCP-port-port = { $target }、TCP ポート { $port }

# {mtu} bytes
mtu-bytes = { $mtu } バイト

# {least} bytes
least-bytes = { $least } バイト

# to the target {forward}, from the target {reverse}
to-the-target-forward-from-the-target-reverse = 行き { $forward }、戻り { $reverse }

# {sizes}; {forward} and {reverse} expected ({rule})
sizes-forward-and-reverse-expected-rule = { $sizes }。期待値は行き { $forward }、戻り { $reverse }（{ $rule }）

# {sizes}; {expected} expected ({rule})
sizes-expected-expected-rule = { $sizes }。期待値 { $expected }（{ $rule }）

# not measured, no echoes are sent
not-measured-no-echoes-are-sent = 未測定（エコーを送っていない）

# {echoes} sent, none answered yet
echoes-sent-none-answered-yet = { $echoes }を送信、まだ応答なし

# {lost} of {echoes} ({share} %)
lost-of-echoes-share = { $echoes }のうち { $lost } 個（{ $share } %）

# {lost}; {waiting} more not answered yet
lost-waiting-more-not-answered-yet = { $lost }。ほかに { $waiting } 個は応答待ち

# {shortest} / {mean} / {longest} (shortest, mean, longest)
shortest-mean-longest-shortest-mean-longest = { $shortest } / { $mean } / { $longest }（最短、平均、最長）

# without an ICMP socket no echoes are sent: TCP connections show only whether the target is reachable; sizes and loss are not measured; as root, run once:
without-an-ICMP-socket-no-echoes-are-sent-TCP-connections-show-only-whether-the-target-is-reachable = ICMP ソケットを使えないため、エコーを送れない。TCP 接続で到達性だけを調べ、サイズとロスは測定しない。root で一度だけ実行:

# without CAP_NET_RAW no padded SYNs and no echo requests in fragments are sent, so the direction of a black hole is not known; as root, run once:
without-CAP_NET_RAW-no-padded-SYNs-and-no-echo-requests-in-fragments-are-sent-so-the-direction-of = CAP_NET_RAW がないため、データ付き SYN も断片化したエコー要求も送れず、ブラックホールの方向を判別できない。root で一度だけ実行:

# without a port no SYN probes are sent; they tell the directions apart and show whether TCP passes as ping does; any TCP port will do, open or closed: HOST:PORT
without-a-port-no-SYN-probes-are-sent-they-tell-the-directions-apart-and-show-whether-TCP-passes = ポートの指定がないため SYN を送らない。SYN があれば、方向を区別でき、TCP も ping と同じように通るかがわかる。開いていても閉じていてもよいので TCP ポートを指定する: HOST:PORT

# the test ended before every result was certain; a larger --count gives it more time
the-test-ended-before-every-result-was-certain-a-larger-count-gives-it-more-time = すべての結果が確定する前に測定が終わった。--count を大きくすると測定時間が延びる

# the routers: with a configuration, `vxlan_exporter check` reads them and names the wrong setting and the commands that fix it
the-routers-with-a-configuration-vxlan_exporter-check-reads-them-and-names-the-wrong-setting-and = ルータ: 設定ファイルがあれば、`vxlan_exporter check` がルータの情報を取得し、誤った設定とそれを直すコマンドを示す

## report/problem.rs

# tunnel {name}: {what}
tunnel-name-what = トンネル { $name }: { $what }

# router {name}: {what}
router-name-what = ルータ { $name }: { $what }

# {what}, path MTU {mtu} of {expected} expected
what-path-MTU-mtu-of-expected-expected = { $what }、経路 MTU { $mtu }（期待値 { $expected }）

# half, the other end is on a router that is not read
half-the-other-end-is-on-a-router-that-is-not-read = 片端のみ（対向は情報を取得していないルータにある）

# half, the other end is not known
half-the-other-end-is-not-known = 片端のみ（対向は不明）

# ambiguous, several other ends fit
ambiguous-several-other-ends-fit = 特定不能（対向の候補が複数ある）

# a bridge drops large frames silently
a-bridge-drops-large-frames-silently = ブリッジが大きなフレームを通知なしに破棄

# its output is understood only in part, left out: {items}
its-output-is-understood-only-in-part-left-out-items = 出力の一部しか解釈できず、次を除外した: { $items }

# no scrape has ended yet
no-scrape-has-ended-yet = まだ一度も取得が終わっていない

# {reason}: {message}
reason-message = { $reason }: { $message }

# not read: {why}
not-read-why = 情報を取得できない: { $why }

## report/tables.rs

# yes, {time} ms
yes-time-ms = 成功、{ $time } ms

# by {method}, {time} ms
by-method-time-ms = { $method } で成功、{ $time } ms

# no: {reason}
no-reason = 失敗: { $reason }

# not yet
not-yet = 未取得

# router
router = ルータ

# site
site = 拠点

# read
read = 取得済み

# version
version = バージョン

# vxlan interfaces
vxlan-interfaces = vxlan インタフェース

# yes
yes = はい

# NO
NO = いいえ

# tunnel
tunnel = トンネル

# state
state = 状態

# lost
lost = ロス

# mismatch
mismatch = 不一致

# {answered}, swallows more
answered-swallows-more = { $answered }、超過分は消失

# not yet known
not-yet-known = まだ不明

# less and less
less-and-less = 大きいほどロス増

# underlay
# from
underlay-from =
    アンダーレイ
    始点

# to
to = 終点

# carries
carries = 通るサイズ

# needs
needs = 必要サイズ

# pings
# lost
pings-lost =
    ping
    ロス

# mean
# RTT
mean-RTT =
    平均
    RTT

# path
path = パス

# MTU
# forward
MTU-forward =
    MTU
    行き

# MTU
# reverse
MTU-reverse =
    MTU
    戻り

# MTU
# expected
MTU-expected =
    MTU
    期待値

# echoes
# lost
echoes-lost =
    エコー
    ロス

## web/mark.rs

# black hole, both ways
black-hole-both-ways = ブラックホール（両方向）

# black hole, to the target
black-hole-to-the-target = ブラックホール（行き）

# black hole, from the target
black-hole-from-the-target = ブラックホール（戻り）

# black hole, TCP
black-hole-TCP = ブラックホール（TCP）

# black hole
black-hole = ブラックホール

# unknown: {reason}
unknown-reason = 不明: { $reason }

# read in part
read-in-part = 一部だけ取得

# not read yet
not-read-yet = 未取得

## web/page/abilities.rs

# What this exporter cannot do
What-this-exporter-cannot-do = この exporter にできないこと

# To allow it, as root:
To-allow-it-as-root = 許可するには root で:

# It sends no echoes: sizes and loss are not measured.
It-sends-no-echoes-sizes-and-loss-are-not-measured = エコーを送れないため、サイズとロスは測定しない。

# It cannot tell the direction of a black hole.
It-cannot-tell-the-direction-of-a-black-hole = ブラックホールの方向を判別できない。

# It sends no padded SYNs: the way to a target is not tested on its own.
It-sends-no-padded-SYNs-the-way-to-a-target-is-not-tested-on-its-own = データ付き SYN を送れないため、宛先への行きを単独では調べられない。

# It sends no fragments: the way back is not tested on its own.
It-sends-no-fragments-the-way-back-is-not-tested-on-its-own = 断片化したパケットを送れないため、戻りを単独では調べられない。

# It reflects nothing for others.
It-reflects-nothing-for-others = ほかの exporter のための reflector は動いていない。

## web/page/charts.rs

# {title}: {last} now, at most {most}
title-last-now-at-most-most = { $title }: 現在 { $last }、最大 { $most }

# 24 h ago
n-24-h-ago = 24 時間前

# {title}: nothing measured yet
title-nothing-measured-yet = { $title }: まだ測定なし

## web/page/frame.rs

# As of {time}.
As-of-time = { $time } 時点。

# Remembers since {time}.
Remembers-since-time = 履歴は { $time } から。

# Configuration of {time}.
Configuration-of-time = 設定は { $time } のもの。

# Copy
Copy = コピー

# Copied
Copied = コピー済み

# Selected: press Ctrl+C
Selected-press-Ctrl-C = 選択済み: Ctrl+C でコピー

# The exporter does not answer. What is shown may be old.
The-exporter-does-not-answer-What-is-shown-may-be-old = exporter が応答しない。表示内容は古い可能性がある。

# Skip to the content
Skip-to-the-content = 本文へ移動

# Pages
Pages = ページ

# Overlay
Overlay = オーバーレイ

# Runbooks
Runbooks = ランブック

# Metrics
Metrics = メトリクス

# Reload
Reload = 再読み込み

## web/page/ladder.rs

# To the target
To-the-target = 行き（宛先方向）

# From the target
From-the-target = 戻り（宛先から）

# what is larger vanishes without a signal
what-is-larger-vanishes-without-a-signal = それより大きいと通知なしに消える

# what is larger is refused with a signal
what-is-larger-is-refused-with-a-signal = それより大きいと通知が返る

# what is larger vanishes, whatever its size
what-is-larger-vanishes-whatever-its-size = サイズにかかわらず消える

# what is larger is not measured
what-is-larger-is-not-measured = それより大きいサイズは未測定

# {bytes} bytes and maybe more pass
bytes-bytes-and-maybe-more-pass = { $bytes } バイトは通る（それ以上も通る可能性あり）

# {bytes} bytes pass
bytes-bytes-pass = { $bytes } バイトまで通る

# No size is known to pass
No-size-is-known-to-pass = 通ると確認できたサイズはない

# {passes}; {larger}
passes-larger = { $passes }。{ $larger }

# {sentence}.
sentence = { $sentence }。

## web/page/ladder/bar.rs

# {bytes} bytes expected
bytes-bytes-expected = 期待値 { $bytes } バイト

# {bytes} bytes
bytes-bytes = { $bytes } バイト

## web/page/ladder/methods.rs

# By probe method
By-probe-method = 測定方法ごとの結果

# Each method sees its own part: one direction, one kind of packet, some of the ways through the underlay.
Each-method-sees-its-own-part-one-direction-one-kind-of-packet-some-of-the-ways-through-the-underlay = 方法ごとに見える範囲が異なる: 片方向だけ、特定の種類のパケットだけ、アンダーレイの一部の経路だけ。

# No result: {methods}.
No-result-methods = 結果なし: { $methods }。

# to the target
to-the-target = 行き

# from the target
from-the-target = 戻り

# there and back
there-and-back = 往復

# {flows} of {all} flows
flows-of-all-flows = { $all } フロー中 { $flows }

# ICMP echo
ICMP-echo = ICMP エコー

# TCP SYN with data
TCP-SYN-with-data = データ付き TCP SYN

# ICMP echo in fragments
ICMP-echo-in-fragments = 断片化した ICMP エコー

# TCP to the reflector
TCP-to-the-reflector = reflector との TCP

# TCP SYN with data (the path has no TCP port)
TCP-SYN-with-data-the-path-has-no-TCP-port = データ付き TCP SYN（このパスに TCP ポートの設定がない）

# ICMP echo in fragments (sent only while large packets are lost or refused)
ICMP-echo-in-fragments-sent-only-while-large-packets-are-lost-or-refused = 断片化した ICMP エコー（大きなパケットが通らない間だけ送信）

# {from} to {to} bytes vanish without a signal
from-to-to-bytes-vanish-without-a-signal = { $from }～{ $to } バイトは通知なしに消える

# {from} bytes and more vanish without a signal
from-bytes-and-more-vanish-without-a-signal = { $from } バイト以上は通知なしに消える

# {size} bytes are refused with a signal that names MTU {mtu}
size-bytes-are-refused-with-a-signal-that-names-MTU-mtu = { $size } バイトには MTU { $mtu } を示す通知が返る

## web/page/not_found.rs

# Not found
Not-found = ページが見つからない

# There is no page {name}.
There-is-no-page-name = ページ { $name } はない。

# The overlay
The-overlay = オーバーレイへ

# There is no path {name}.
There-is-no-path-name = パス { $name } はない。

# There is no tunnel {name}.
There-is-no-tunnel-name = トンネル { $name } はない。

# There is no router {name}.
There-is-no-router-name = ルータ { $name } はない。

# There is no runbook {name}.
There-is-no-runbook-name = ランブック { $name } はない。

# Near it:
Near-it = 似た名前:

## web/page/overlay.rs

# The new configuration cannot be used, the previous one stays in use:
The-new-configuration-cannot-be-used-the-previous-one-stays-in-use = 新しい設定は使えないため、前の設定で動作を続けている:

# Shard {shard}: other exporters show the rest of this overlay.
Shard-shard-other-exporters-show-the-rest-of-this-overlay = シャード { $shard }: このオーバーレイの残りはほかの exporter が表示する。

# Nothing is wrong
Nothing-is-wrong = 異常なし

# Something is wrong
Something-is-wrong = 異常あり

# Not known
Not-known = 不明

# State of the overlay
State-of-the-overlay = オーバーレイの状態

# and {number} more findings below
and-number-more-findings-below = ほか { $number } 件は下を参照

# Nothing is configured
Nothing-is-configured = 設定が空

# No path is configured. No router is configured.
No-path-is-configured-No-router-is-configured = パスもルータも設定されていない。

# Write a configuration with the routers and a path for each target that matters: {example} prints one. For a single target none is needed: {probe}
Write-a-configuration-with-the-routers-and-a-path-for-each-target-that-matters-example-prints-one = ルータと、重要な宛先ごとのパスを設定ファイルに書く。{ $example } で例を出力できる。宛先が 1 つなら設定ファイルは不要: { $probe }

## web/page/path.rs

# Path
Path = パス

# State of the path
State-of-the-path = パスの状態

# Sizes
Sizes = サイズ

# {name}: {state}
name-state = { $name }: { $state }

# From
From = 送信元

# To
To = 宛先

# TCP port
TCP-port = TCP ポート

# none: the directions are told apart less well
none-the-directions-are-told-apart-less-well = なし（行きと戻りの区別が難しくなる）

# Expected MTU
Expected-MTU = MTU の期待値

# {bytes} bytes, by {rule}
bytes-bytes-by-rule = { $bytes } バイト（根拠: { $rule }）

# not known yet
not-known-yet = まだ不明

# This host can send
This-host-can-send = このホストが送れる最大サイズ

# Reflector
Reflector = reflector

# Echoes
Echoes = エコー

# {sent} sent, {lost} lost, {late} late
sent-sent-lost-lost-late-late = 送信 { $sent }、ロス { $lost }、遅着 { $late }

# mean RTT {time}
mean-RTT-time = 平均 RTT { $time }

# Last 24 hours
Last-24-hours = 過去 24 時間

# Verdict, the worst of each five minutes
Verdict-the-worst-of-each-five-minutes = 判定（5 分ごとの最悪値）

# Loss
Loss = ロス

# RTT, median
RTT-median = RTT（中央値）

# RTT, 99th percentile
RTT-99th-percentile = RTT（99 パーセンタイル）

# Changes
Changes = 変化

# What it crosses
What-it-crosses = 経由するトンネル

# Not known: no router data tells one way to the target.
Not-known-no-router-data-tells-one-way-to-the-target = 不明: ルータの情報からは、宛先への経路を 1 つに絞れない。

## web/page/problems.rs

# Problems
Problems = 異常の詳細

# Cause
Cause = 原因

# Named above.
Named-above = 上記のとおり。

# What was seen
What-was-seen = 観測結果

# Runbook {name}
Runbook-name = ランブック { $name }

# What to type
What-to-type = 入力するコマンド

# The commands above.
The-commands-above = 上記のコマンド。

# What to type, in this order
What-to-type-in-this-order = 入力するコマンド（この順に）

# Hosts behind its two ends do not reach each other over it.
Hosts-behind-its-two-ends-do-not-reach-each-other-over-it = このトンネルの両端の配下にあるホストどうしは、このトンネル経由では通信できない。

# Large packets vanish there without a message, small ones pass: connections open and then hang.
Large-packets-vanish-there-without-a-message-small-ones-pass-connections-open-and-then-hang = 大きなパケットは通知なしに消え、小さなパケットは通る。接続は確立するが、その後止まる。

# Traffic passes, but its two ends treat large packets differently.
Traffic-passes-but-its-two-ends-treat-large-packets-differently = 通信はできるが、両端で大きなパケットの扱いが異なる。

# Only one end of it is known, so nobody can tell whether traffic passes.
Only-one-end-of-it-is-known-so-nobody-can-tell-whether-traffic-passes = 片端しか判明していないため、通信できるかどうかは判定できない。

# Its tunnels cannot be judged, and no cause or command on it can be named.
Its-tunnels-cannot-be-judged-and-no-cause-or-command-on-it-can-be-named = このルータのトンネルは判定できず、このルータについて原因もコマンドも示せない。

## web/page/router.rs

# Router
Router = ルータ

# State of the router
State-of-the-router = ルータの状態

# Left out: {items}. {remedy}
Left-out-items-remedy = 除外したもの: { $items }。{ $remedy }

# {reason} {times}
reason-times = { $reason } { $times }

# Site
Site = 拠点

# Version
Version = バージョン

# Read by
Read-by = 取得方法

# Reading took
Reading-took = 取得所要時間

# Last read
Last-read = 最終取得時刻

# Readings
Readings = 取得回数

# , failed: {reasons}
failed-reasons = 、失敗: { $reasons }

# Tunnels
Tunnels = トンネル

# None that is known.
None-that-is-known = 該当なし。

# Interface
Interface = インタフェース

# Admin
Admin = 管理状態

# VNI
VNI = VNI

# Remote
Remote = リモート

# Port
Port = ポート

# MTU
MTU = MTU

# Bridge
Bridge = ブリッジ

# Received
Received = 受信

# Sent
Sent = 送信

## web/page/runbook.rs

# What each alert means, how to see it yourself, and how to mend it.
What-each-alert-means-how-to-see-it-yourself-and-how-to-mend-it = 各アラートの意味、自分で確かめる方法、直し方（英語）。

# All runbooks
All-runbooks = ランブック一覧

## web/page/tables.rs

# Pages of {table}
Pages-of-table = { $table }のページ

# Previous
Previous = 前へ

# Page {page} of {last} ({all})
Page-page-of-last-all = { $page } / { $last } ページ（全 { $all } 件）

# Next
Next = 次へ

# paths
paths = パス

# tunnels
tunnels = トンネル

# legs
legs = アンダーレイ区間

# routers
routers = ルータ

# problems
problems = 異常

# {lost} of {all}
lost-of-all = { $all } 個中 { $lost } 個

# Verdict
Verdict = 判定

# Sites
Sites = 拠点

# Target
Target = 宛先

# MTU there
MTU-there = MTU（行き）

# MTU back
MTU-back = MTU（戻り）

# Expected
Expected = 期待値

# Echoes lost
Echoes-lost = エコーのロス

# Mean RTT
Mean-RTT = 平均 RTT

# Paths
Paths = パス

# Tunnel
Tunnel = トンネル

# State
State = 状態

# From → to
From-to = 始点 → 終点

# MTU of the sender
MTU-of-the-sender = 送信側 vxlan の MTU

# Underlay carries
Underlay-carries = アンダーレイの MTU

# Legs
Legs = アンダーレイ区間

# Interfaces
Interfaces = インタフェース

# Routers
Routers = ルータ

## web/page/time.rs

# since {time} ({length})
since-time-length = { $time } 以降（{ $length }経過）

# {time} ({length} ago)
time-length-ago = { $time }（{ $length }前）

# {minutes} min
minutes-min = { $minutes } 分

# {hours} h {minutes} min
hours-h-minutes-min = { $hours } 時間 { $minutes } 分

# {days} d {hours} h
days-d-hours-h = { $days } 日 { $hours } 時間

## web/page/tunnel.rs

# State of the tunnel
State-of-the-tunnel = トンネルの状態

# Both ends
Both-ends = 両端

# The end that is known
The-end-that-is-known = 判明している端

# differs
differs = 相違

# UDP port
UDP-port = UDP ポート

# Local
Local = ローカル

# Outer DF bit
Outer-DF-bit = 外側の DF ビット

# Admin state
Admin-state = 管理状態

# Widest port of the bridge
Widest-port-of-the-bridge = ブリッジの最大 MTU のポート

# Packets received
Packets-received = 受信パケット数

# Packets sent
Packets-sent = 送信パケット数

# Sent without a route
Sent-without-a-route = 経路がなく送れなかった数

# Up or down, the worst of each five minutes
Up-or-down-the-worst-of-each-five-minutes = アップ/ダウン（5 分ごとの最悪値）

# Loss from {from} to {to}
Loss-from-from-to-to = ロス { $from } から { $to } へ

# Paths over it
Paths-over-it = このトンネルを通るパス

## web/picture.rs

# Picture of the overlay
Picture-of-the-overlay = オーバーレイの図

# Picture of the overlay, narrow
Picture-of-the-overlay-narrow = オーバーレイの図（狭い画面用）

## web/picture/fold.rs

# {number} more sites
number-more-sites = ほか { $number } 拠点

# nothing wrong
nothing-wrong = 異常なし

# see the tables
see-the-tables = 下の表を参照

## web/picture/ring.rs

# {number} more tunnels: see the table below
number-more-tunnels-see-the-table-below = ほかのトンネル { $number } 本は下の表を参照

## web/picture/scene.rs

# to change
to-change = 要変更

# {all}, nothing wrong
all-nothing-wrong = { $all }、異常なし

# {all}, 1 not as it should be
all-1-not-as-it-should-be = { $all }、うち 1 本に異常

# {all}, {sick} not as they should be
all-sick-not-as-they-should-be = { $all }、うち { $sick } 本に異常

# no tunnel
no-tunnel = トンネルなし

# no path
no-path = パスなし

# {sites}; {tunnels}; {paths}.
sites-tunnels-paths = { $sites }。{ $tunnels }。{ $paths }。

## web/picture/sitebox.rs

# this exporter
this-exporter = この exporter

# {more} more, nothing wrong
more-more-nothing-wrong = ほか { $more } 件、異常なし

# {more} more
more-more = ほか { $more } 件

## web/picture/stack.rs

# {number} more tunnels
number-more-tunnels = ほかのトンネル { $number } 本

## web/picture/star.rs

# {number} tunnels, nothing wrong
number-tunnels-nothing-wrong = トンネル { $number } 本、異常なし

# {number} tunnels, see the tables
number-tunnels-see-the-tables = トンネル { $number } 本、下の表を参照

# {number} more tunnels, nothing wrong
number-more-tunnels-nothing-wrong = ほかのトンネル { $number } 本、異常なし

# {number} more tunnels, see the tables
number-more-tunnels-see-the-tables = ほかのトンネル { $number } 本、下の表を参照

# loss not known
loss-not-known = ロスは不明

# loss → {there}  ← {back}
loss-there-back = ロス → { $there }  ← { $back }

## web/picture/suspects.rs

# {path}: passes
path-passes = { $path }: 正常

# {number} paths pass
number-paths-pass = パス { $number } 本: 正常

# {name}: {what}
name-what = { $name }: { $what }

# {all} paths: {what}
all-paths-what = パス { $all } 本: { $what }

# {all} paths, the worst: {what}
all-paths-the-worst-what = パス { $all } 本、最も悪いもの: { $what }

## model/state/stale.rs

# not probed for {time}: the exporter itself has stopped probing, which says nothing about the path
not-probed-for-time-the-exporter-itself-has-stopped-probing-which-says-nothing-about-the-path = { $time } 測定していない。exporter 自身の測定が止まっているためで、パスの状態は判断できない

## overlay/cause.rs

# SYNs are answered, payload is not: {where}
SYNs-are-answered-payload-is-not-where = SYN には応答があるが、データは届かない。{ $where }

# raw SYNs pass, the kernel's own connections do not: {where}
raw-SYNs-pass-the-kernel-s-own-connections-do-not-where = raw ソケットの SYN は通るが、カーネルの TCP 接続は通らない。{ $where }

# TCP does not pass though ping does: {where}
TCP-does-not-pass-though-ping-does-where = ping は通るのに TCP が通らない。{ $where }

# {end} has `df set`: a larger mtu alone would not fix it
end-has-df-set-a-larger-mtu-alone-would-not-fix-it = { $end } は `df set` のため、mtu を大きくするだけでは直らない

# but packets above {edge} bytes are lost already, which {explained} does not explain: {underlay}
but-packets-above-edge-bytes-are-lost-already-which-explained-does-not-explain-underlay = ただし、{ $edge } バイトを超えるパケットがすでに失われており、{ $explained } では説明できない。{ $underlay }

# {source} is the target's own site: no tunnel is crossed
source-is-the-target-s-own-site-no-tunnel-is-crossed = { $source } は宛先と同じ拠点のため、トンネルを経由しない

# too many to list
too-many-to-list = 多すぎて列挙できない

# several routes lead from {source} to {target}, so none is assumed: {routes}
several-routes-lead-from-source-to-target-so-none-is-assumed-routes = { $source } から { $target } への経路が複数あり、どれとも決められない: { $routes }

# router data shows no tunnels that connect {source} to {target}
router-data-shows-no-tunnels-that-connect-source-to-target = ルータの情報には、{ $source } と { $target } をつなぐトンネルがない

# {sentence} (it may be on the path)
sentence-it-may-be-on-the-path = { $sentence }（このパス上の可能性がある）

# {tunnel} ({path} works over it)
tunnel-path-works-over-it = { $tunnel }（{ $path } は問題なく通る）

# between {one} and {other}
between-one-and-other = { $one } と { $other } の間

# router data does not explain this, and other paths work over the same tunnels: {tunnels}; check {target} itself and its LAN at {site}
router-data-does-not-explain-this-and-other-paths-work-over-the-same-tunnels-tunnels-check-target = ルータの情報では説明できず、同じトンネルを通るほかのパスは正常: { $tunnels }。{ $target } 自体と { $site } の LAN を確認する

# router data does not explain this: check the underlay {between}
router-data-does-not-explain-this-check-the-underlay-between = ルータの情報では説明できない。アンダーレイ（{ $between }）を確認する

# router data does not explain this: check the underlay {between}: it drops outer packets above {outer} bytes (inner {edge} + {headers})
router-data-does-not-explain-this-check-the-underlay-between-it-drops-outer-packets-above-outer-bytes = ルータの情報では説明できない。アンダーレイ（{ $between }）を確認する。{ $outer } バイトを超える外側パケット（内側 { $edge } + { $headers }）を破棄している

# router data does not explain this: check the underlay {between}: it refuses outer packets above {outer} bytes (inner {edge} + {headers})
router-data-does-not-explain-this-check-the-underlay-between-it-refuses-outer-packets-above-outer = ルータの情報では説明できない。アンダーレイ（{ $between }）を確認する。{ $outer } バイトを超える外側パケット（内側 { $edge } + { $headers }）を通知を返して拒否している

## overlay/end_view.rs

# {end} mtu {mtu} < its bridge port {port} mtu {wide}: the bridge drops larger frames silently
end-mtu-mtu-its-bridge-port-port-mtu-wide-the-bridge-drops-larger-frames-silently = { $end } の MTU { $mtu } < ブリッジポート { $port } の MTU { $wide }: ブリッジが大きなフレームを通知なしに破棄する

# {end} mtu {mtu} < the expected MTU {expected}
end-mtu-mtu-the-expected-MTU-expected = { $end } の MTU { $mtu } < MTU の期待値 { $expected }

# {router}'s {bridge} mtu {clamp} < its port {port} mtu {mtu}: this limits what the router itself sends into the bridge, not what it bridges
router-s-bridge-mtu-clamp-its-port-port-mtu-mtu-this-limits-what-the-router-itself-sends-into-the = { $router } の { $bridge } の MTU { $clamp } < そのポート { $port } の MTU { $mtu }: ルータ自身がブリッジに送るパケットだけが制限され、ブリッジするフレームは制限されない

# none
none = なし

# {end} mtu {mtu} < the expected MTU {expected}: it is routed, not a bridge port, so {router} itself answers larger packets with "fragmentation needed, mtu {mtu}"
end-mtu-mtu-the-expected-MTU-expected-it-is-routed-not-a-bridge-port-so-router-itself-answers-larger = { $end } の MTU { $mtu } < MTU の期待値 { $expected }: ブリッジポートではなくルーティングされるため、{ $router } 自身が大きなパケットに "fragmentation needed, mtu { $mtu }" を返す

## overlay/evpn.rs

# {end} has no flood entry for {vtep}, which sends to it (it floods to {floods}): EVPN fills it, so check its type-3 routes ({command}) for one from that VTEP, and whether {router} has sent it
end-has-no-flood-entry-for-vtep-which-sends-to-it-it-floods-to-floods-EVPN-fills-it-so-check-its = { $end } には { $vtep } へのフラッドエントリがないが、相手からは送られてくる（フラッド先は { $floods }）。エントリは EVPN が設定するので、その VTEP の type-3 経路があるか（{ $command }）、{ $router } がそれを広告しているかを確認する

# {end} has no flood entry for {vtep} (it floods to {floods}): EVPN fills it, so check its type-3 routes ({command}) for one from that VTEP, and whether {router} has sent it
end-has-no-flood-entry-for-vtep-it-floods-to-floods-EVPN-fills-it-so-check-its-type-3-routes-command = { $end } には { $vtep } へのフラッドエントリがない（フラッド先は { $floods }）。エントリは EVPN が設定するので、その VTEP の type-3 経路があるか（{ $command }）、{ $router } がそれを広告しているかを確認する

# neither end floods to the other (vni {vnis}): {one} floods to {floods}, {other} floods to {back}; EVPN fills both, so check the type-3 routes ({command}) on {here} and {there}
neither-end-floods-to-the-other-vni-vnis-one-floods-to-floods-other-floods-to-back-EVPN-fills-both = どちらの端も相手にフラッドしていない（VNI { $vnis }）: { $one } のフラッド先は { $floods }、{ $other } のフラッド先は { $back }。どちらも EVPN が設定するので、{ $here } と { $there } の type-3 経路（{ $command }）を確認する

## overlay/fix.rs

# {why}: there are no commands for {end}
why-there-are-no-commands-for-end = { $why }。{ $end } を直すコマンドはない

# {router} already uses vni {vni} on {link}
router-already-uses-vni-vni-on-link = { $router } は VNI { $vni } をすでに { $link } で使っている

# no vni suits both ends: {left}, {right}
no-vni-suits-both-ends-left-right = 両端に共通して使える VNI がない: { $left }、{ $right }

# {why}, so {end} must change
why-so-end-must-change = { $why }。そのため { $end } を変更する

# {end}: {why}; {df} requires an upgrade
end-why-df-requires-an-upgrade = { $end }: { $why }。{ $df } にするにはアップグレードが必要

# {end} is `external`: it has no `remote`, its flood list must contain {router}
end-is-external-it-has-no-remote-its-flood-list-must-contain-router = { $end } は `external` で、`remote` を持たない。フラッドリストに { $router } が必要

# {end} must have the VTEP address of {router} as remote
end-must-have-the-VTEP-address-of-router-as-remote = { $end } のリモートは { $router } の VTEP アドレスでなければならない

# it is not known which {what} is the right one; {end} is farther from our site, so change it there
it-is-not-known-which-what-is-the-right-one-end-is-farther-from-our-site-so-change-it-there = どちらの{ $what }が正しいかは不明。自拠点から遠い { $end } を変更する

## overlay/legs.rs

# the underlay from {from} to {to}
the-underlay-from-from-to-to = { $from } から { $to } へのアンダーレイ

# {interface} needs {needed} for its mtu {mtu}
interface-needs-needed-for-its-mtu-mtu = { $interface } の MTU { $mtu } には、アンダーレイが { $needed } バイトを通す必要がある

# {leg} carries {answered} bytes and swallows {silent} ({pairs} pairs of a large and a small ping with DF); {needs}
leg-carries-answered-bytes-and-swallows-silent-pairs-pairs-of-a-large-and-a-small-ping-with-DF-needs = { $leg }は { $answered } バイトまで通り、{ $silent } バイトは通知なしに消える（DF 付きの大小の ping { $pairs } 組で確認）。{ $needs }

# {leg} carries {size} bytes and answers larger pings with "fragmentation needed"; {needs}
leg-carries-size-bytes-and-answers-larger-pings-with-fragmentation-needed-needs = { $leg }は { $size } バイトまで通り、それより大きい ping には "fragmentation needed" が返る。{ $needs }

# {leg} carries pings with DF of {size} bytes, as large as the route of {router} takes; {needs}
leg-carries-pings-with-DF-of-size-bytes-as-large-as-the-route-of-router-takes-needs = { $leg }は DF 付き ping { $size } バイト（{ $router } のルーティングテーブル上の MTU の上限）まで通る。{ $needs }

# {leg} is being measured
leg-is-being-measured = { $leg }は測定中

# {leg} loses more the larger a ping is, without an edge
leg-loses-more-the-larger-a-ping-is-without-an-edge = { $leg }は ping が大きいほどロスが増えるが、明確な境界はない

# {leg} is not measured: {why}
leg-is-not-measured-why = { $leg }は測定していない: { $why }

# {lost} of {sent} small pings were lost there and back
lost-of-sent-small-pings-were-lost-there-and-back = 小さな ping は往復で { $sent } 個中 { $lost } 個がロス

# {router} is told "fragmentation needed, mtu {edge}"
router-is-told-fragmentation-needed-mtu-edge = { $router } には "fragmentation needed, mtu { $edge }" が返る

# the route of {router} takes {edge}
the-route-of-router-takes-edge = { $router } のルーティングテーブル上の MTU は { $edge }

# {shown}, but pings of {size} bytes from {from} to it vanish without a signal: perhaps a firewall of {from} or before it drops "fragmentation needed" (ICMP type 3 code 4, ICMPv6 type 2)
shown-but-pings-of-size-bytes-from-from-to-it-vanish-without-a-signal-perhaps-a-firewall-of-from = { $shown }。一方、{ $from } からそこへの { $size } バイトの ping は通知なしに消える。{ $from } またはその手前のファイアウォールが "fragmentation needed"（ICMP type 3 code 4、ICMPv6 type 2）を破棄している可能性がある

# pings do not show the fault: a box on the way may treat VXLAN's UDP otherwise, so this clears nothing
pings-do-not-show-the-fault-a-box-on-the-way-may-treat-VXLAN-s-UDP-otherwise-so-this-clears-nothing = ping では障害が再現しない。途中の機器が VXLAN の UDP だけ異なる扱いをすることがあるため、アンダーレイが原因である可能性は残る

# the path's own probes are lost on the way from {from} to {to}
the-path-s-own-probes-are-lost-on-the-way-from-from-to-to = このパスのプローブは { $from } から { $to } への区間で失われている

# to do, first choice: whoever runs the underlay between {from}{source} and {to} ({remote}) lets outer packets of {needed} bytes pass; the path is then `ok`. Else: mtu {inner} on the hosts of both sites, and then `set interfaces vxlan {far} mtu {inner}` on {to} and `set interfaces vxlan {near} mtu {inner}` on {from}; the path is then `ok` at {inner}, and a host that keeps its mtu still hangs
to-do-first-choice-whoever-runs-the-underlay-between-from-source-and-to-remote-lets-outer-packets = 対処の第 1 候補: { $from }{ $source } と { $to }（{ $remote }）の間のアンダーレイの管理者に依頼し、{ $needed } バイトの外側パケットを通せるようにする。これでパスは「正常」（`ok`）になる。できない場合: 両拠点のホストの MTU を { $inner } に下げてから、{ $to } で `set interfaces vxlan { $far } mtu { $inner }`、{ $from } で `set interfaces vxlan { $near } mtu { $inner }` を実行する。パスは { $inner } バイトで「正常」（`ok`）になるが、MTU を下げていないホストの通信は止まったまま

# {leg} carries pings with DF of {size} bytes there and back, all that {interface} needs for its mtu {mtu}
leg-carries-pings-with-DF-of-size-bytes-there-and-back-all-that-interface-needs-for-its-mtu-mtu = { $leg }は DF 付き ping { $size } バイトが往復とも通る。{ $interface } の MTU { $mtu } に必要なサイズはすべて通る

## overlay/liveness.rs

# {end} does not exist on the router now
end-does-not-exist-on-the-router-now = { $end } は現在ルータに存在しない

# {end} is admin down
end-is-admin-down = { $end } は admin down（設定で無効）

# {end}: the router's output shows no VNI, remote or port
end-the-router-s-output-shows-no-VNI-remote-or-port = { $end }: ルータの出力に VNI もリモートもポートもない

# {end}: {errors} more tx_carrier_errors since the previous scrape and nothing received: no route to {remotes}{down}
end-errors-more-tx_carrier_errors-since-the-previous-scrape-and-nothing-received-no-route-to-remotes = { $end }: 前回の取得から tx_carrier_errors が { $errors } 増え、受信は 0。{ $remotes } への経路がない{ $down }

# {end}: {router} has no route to {remotes}{down}; {failed} tx_carrier_errors so far
end-router-has-no-route-to-remotes-down-failed-tx_carrier_errors-so-far = { $end }: { $router } に { $remotes } への経路がない{ $down }。tx_carrier_errors は累計 { $failed }

# {from} sent {sent} packets since the previous scrape, {to} received 0
from-sent-sent-packets-since-the-previous-scrape-to-received-0 = 前回の取得から { $from } は { $sent } パケットを送信し、{ $to } の受信は 0

# every path that crosses only this tunnel is unreachable: {names}
every-path-that-crosses-only-this-tunnel-is-unreachable-names = このトンネルだけを通るパスがすべて到達不能: { $names }

# {end} sent {sent} and received {received} packets
end-sent-sent-and-received-received-packets = { $end } は { $sent } パケットを送信し { $received } パケットを受信

# since the previous scrape: {counts}
since-the-previous-scrape-counts = 前回の取得から: { $counts }

# both ends are admin up; no two scrapes to compare yet
both-ends-are-admin-up-no-two-scrapes-to-compare-yet = 両端とも admin up だが、比較に必要な 2 回分の取得がまだない

## overlay/loss.rs

# both ends' counters and uptimes are not read now
both-ends-counters-and-uptimes-are-not-read-now = 両端のカウンタと稼働時間が揃っていない

# no reading yet
no-reading-yet = まだ取得していない

# not yet two readings of both ends over the same time
not-yet-two-readings-of-both-ends-over-the-same-time = 同じ時間帯について両端それぞれ 2 回分の取得がまだない

# {packets} packets in {seconds} s are too few
packets-packets-in-seconds-s-are-too-few = { $seconds } 秒で { $packets } パケットでは少なすぎる

# {packets} packets in {seconds} s came so unevenly that reading the routers at different times may cause an error of {percent} %
packets-packets-in-seconds-s-came-so-unevenly-that-reading-the-routers-at-different-times-may-cause = { $seconds } 秒で { $packets } パケットの到着が不規則で、両ルータの取得時刻のずれだけで { $percent } % の誤差が出うる

# a kernel counts merged packets (GRO): {sent} bytes each were sent, {received} received
a-kernel-counts-merged-packets-GRO-sent-bytes-each-were-sent-received-received = カーネルが結合後のパケットを数えている（GRO）: 送信は平均 { $sent } バイト、受信は { $received } バイト

# more packets were received ({received}) than sent ({sent}): the two ends do not count the same packets
more-packets-were-received-received-than-sent-sent-the-two-ends-do-not-count-the-same-packets = 受信（{ $received }）が送信（{ $sent }）より多い。両端が同じパケットを数えていない

## overlay/loss/countable.rs

# {end} sends to a multicast group, and its counters do not show which packets are this tunnel's
end-sends-to-a-multicast-group-and-its-counters-do-not-show-which-packets-are-this-tunnel-s = { $end } はマルチキャストグループに送っており、カウンタからはこのトンネルのパケットを区別できない

# {end} sends vni {vni} to several remotes ({remotes})
end-sends-vni-vni-to-several-remotes-remotes = { $end } は VNI { $vni } を複数のリモート（{ $remotes }）に送っている

# several remotes ({remotes})
several-remotes-remotes = 複数のリモート（{ $remotes }）

# several networks
several-networks = 複数のネットワーク

# {end} has {what}, which its counters do not tell apart
end-has-what-which-its-counters-do-not-tell-apart = { $end } は{ $what }を持ち、カウンタでは区別できない

# {end} has {what}, and this tunnel does not have exactly one vni
end-has-what-and-this-tunnel-does-not-have-exactly-one-vni = { $end } は{ $what }を持ち、このトンネルの VNI が 1 つに定まらない

# {end} has learned to send to {remote} too
end-has-learned-to-send-to-remote-too = { $end } は学習により { $remote } にも送っている

# {end} receives from {remote} too
end-receives-from-remote-too = { $end } は { $remote } からも受信している

# {other} sends to {end} too
other-sends-to-end-too = { $other } も { $end } に送っている

## overlay/loss/measured.rs

# {percent} % of {sent} packets in {seconds} s, give or take {bound} % for reads that are not simultaneous
percent-of-sent-packets-in-seconds-s-give-or-take-bound-for-reads-that-are-not-simultaneous = { $seconds } 秒で { $sent } パケット中 { $percent } %（取得時刻のずれによる誤差 ±{ $bound } %）

# {percent} % of {sent} packets of vni {vni} in {seconds} s, give or take {bound} % for reads that are not simultaneous
percent-of-sent-packets-of-vni-vni-in-seconds-s-give-or-take-bound-for-reads-that-are-not-simultaneous = { $seconds } 秒で VNI { $vni } の { $sent } パケット中 { $percent } %（取得時刻のずれによる誤差 ±{ $bound } %）

## overlay/mismatch.rs

# {what} differs: {one} has {a}, {other} has {b}
what-differs-one-has-a-other-has-b = { $what }が異なる: { $one } は { $a }、{ $other } は { $b }

# {end} has no remote, {other} sends to it
end-has-no-remote-other-sends-to-it = { $end } にはリモートがないが、{ $other } はそこへ送っている

# {end} has remote {remotes}, which is not an address of {router}
end-has-remote-remotes-which-is-not-an-address-of-router = { $end } のリモートは { $remotes } で、{ $router } のアドレスではない

## overlay/passive.rs

# {router} cuts outer packets into fragments: {per_packet} per packet too large for its route, {per_second} a second, in step with what {from} sends
router-cuts-outer-packets-into-fragments-per_packet-per-packet-too-large-for-its-route-per_second = { $router } は外側パケットを断片化している: 経路の MTU を超えるパケット 1 個につき { $per_packet } 個、毎秒 { $per_second } 個。{ $from } の送信量と連動している

# {router} gets {rate} packets a second at a UDP port where nobody listens, as many as {from} sends to port{port}
router-gets-rate-packets-a-second-at-a-UDP-port-where-nobody-listens-as-many-as-from-sends-to-port = { $router } は、待ち受けのない UDP ポートで毎秒 { $rate } パケットを受けている。{ $from } がポート{ $port } に送る数と同じ

# fragments get lost on the way from {senders} to {to}: {percent} % of the reassemblies at {to} fail ({failed} in the last minutes)
fragments-get-lost-on-the-way-from-senders-to-to-percent-of-the-reassemblies-at-to-fail-failed-in = { $senders } から { $to } への途中でフラグメントが失われている: { $to } での再構成（リアセンブル）の { $percent } % が失敗（直近の数分で { $failed } 回）

## overlay/routed.rs

# {sentence}; it is routed, not a bridge port: with mtu {inner}, {router} itself answers larger packets with "fragmentation needed"
sentence-it-is-routed-not-a-bridge-port-with-mtu-inner-router-itself-answers-larger-packets-with = { $sentence }。ブリッジポートではなくルーティングされる: MTU を { $inner } にすれば、{ $router } 自身が大きなパケットに "fragmentation needed" を返す

# {sentence}, but no such answer arrives: check what drops ICMP "fragmentation needed" on the way back
sentence-but-no-such-answer-arrives-check-what-drops-ICMP-fragmentation-needed-on-the-way-back = { $sentence }。しかしその通知は届かない。戻りの途中で ICMP "fragmentation needed" を破棄しているものを確認する

## overlay/router_index.rs

# ; down there: {links}
down-there-links = （ダウン中のリンク: { $links }）

## overlay/scene.rs

# {router} not read: it is not among the routers
router-not-read-it-is-not-among-the-routers = { $router } の情報がない: 設定のルータに含まれていない

# {router} not read: {reason}
router-not-read-reason = { $router } の情報を取得できない: { $reason }

# {router} not read: no scrape has ended yet
router-not-read-no-scrape-has-ended-yet = { $router } の情報がない: まだ一度も取得が終わっていない

## overlay/stranger.rs

# the target's MAC is
the-target-s-MAC-is = 宛先の MAC が

# {number} MACs of hosts there, perhaps the target's, are
number-MACs-of-hosts-there-perhaps-the-target-s-are = 対向側のホストの MAC が { $number } 個（宛先のものを含む可能性あり）

# the tunnels carry traffic and {who} learned behind {end}, yet no unicast is answered: the virtual switch under {far} may drop frames to foreign MACs. Allow promiscuous mode and forged transmits on the port of its {port} ({near}: {lines})
the-tunnels-carry-traffic-and-who-learned-behind-end-yet-no-unicast-is-answered-the-virtual-switch = トンネルに通信は流れており、{ $who } { $end } の向こう側に学習されているが、ユニキャストには応答がない。{ $far } を収容する仮想スイッチが、未知の MAC 宛てのフレームを破棄している可能性がある。{ $port } がつながる仮想スイッチのポートで、無差別モード（promiscuous mode）と偽装転送（forged transmits）を許可する（{ $near }: { $lines }）

## overlay/tunnel/tunnel_evidence.rs

# lost from {from} to {to}: {words}
lost-from-from-to-to-words = { $from } から { $to } へのロス: { $words }

# lost from {from} to {to}: not known, {why}
lost-from-from-to-to-not-known-why = { $from } から { $to } へのロス: 不明、{ $why }

# {end} sends to {remote}, an address of {router}
end-sends-to-remote-an-address-of-router = { $end } の送信先は { $remote } で、{ $router } のアドレス

# both are in the group {group}
both-are-in-the-group-group = 両端ともグループ { $group } に属する

# paired: {why}
paired-why = ペアの根拠: { $why }

# paired: declared under `tunnels`
paired-declared-under-tunnels = ペアの根拠: 設定の `tunnels` で宣言

# paired: both ends were seen together before
paired-both-ends-were-seen-together-before = ペアの根拠: 以前、両端が揃って見えていた

# several ends fit {end} to {remote} equally well: {ends}; declare the right pair under `tunnels`
several-ends-fit-end-to-remote-equally-well-ends-declare-the-right-pair-under-tunnels = { $end } から { $remote } への相手の候補が複数ある: { $ends }。正しい組み合わせを `tunnels` で宣言する

# {end} sends to {remote}, which is its own router's address
end-sends-to-remote-which-is-its-own-router-s-address = { $end } の送信先 { $remote } は、そのルータ自身のアドレス

# {end} sends to {remote}, which is not an address of any router that was read: add that router, or this address to its `addresses`, to see the other end
end-sends-to-remote-which-is-not-an-address-of-any-router-that-was-read-add-that-router-or-this-address = { $end } の送信先 { $remote } は、情報を取得したどのルータのアドレスでもない。対向を特定するには、そのルータを設定に加えるか、このアドレスを該当ルータの `addresses` に加える

# {end} sends to {remote}, which is not an address of any router that was read; {unread}
end-sends-to-remote-which-is-not-an-address-of-any-router-that-was-read-unread = { $end } の送信先 { $remote } は、情報を取得したどのルータのアドレスでもない。{ $unread }

# {end} (vni {vnis}, remote {remotes})
end-vni-vnis-remote-remotes = { $end }（VNI { $vnis }、リモート { $remotes }）

# and {more} more
and-more-more = ほか { $more } 件

# {end} sends to {remote} ({owners}), which shows no vxlan interface
end-sends-to-remote-owners-which-shows-no-vxlan-interface = { $end } の送信先は { $remote }（{ $owners }）だが、そこに vxlan インタフェースが見えない

# {end} sends to {remote} ({owners}), where no free end fits: {ends}
end-sends-to-remote-owners-where-no-free-end-fits-ends = { $end } の送信先は { $remote }（{ $owners }）だが、そこに対応する未ペアの vxlan インタフェースがない: { $ends }

## overlay/underlay.rs

# larger packets are dropped silently
larger-packets-are-dropped-silently = 大きなパケットは通知なしに破棄される

# with `df set` larger packets are dropped silently
with-df-set-larger-packets-are-dropped-silently = `df set` のため、大きなパケットは通知なしに破棄される

# with `df inherit` larger packets with DF are dropped silently
with-df-inherit-larger-packets-with-DF-are-dropped-silently = `df inherit` のため、DF 付きの大きなパケットは通知なしに破棄される

# {end}: the underlay to {remote} (out of {device}) carries {mtu} bytes
end-the-underlay-to-remote-out-of-device-carries-mtu-bytes = { $end }: { $remote } へのアンダーレイ（{ $device } 経由）は { $mtu } バイトまで通る

# {carries}, so inner packets up to {inner} ({headers} bytes of outer headers); {needed} bytes require an underlay of {enough}
carries-so-inner-packets-up-to-inner-headers-bytes-of-outer-headers-needed-bytes-require-an-underlay = { $carries }。内側パケットは { $inner } バイトまで（外側ヘッダ { $headers } バイト）。{ $needed } バイトには { $enough } バイト通るアンダーレイが必要

# 1 more minute
n-1-more-minute = あと 1 分

# {minutes} more minutes
minutes-more-minutes = あと { $minutes } 分

# {router} remembers {mtu} for {remote} for {left}: something on the way answered "fragmentation needed" (`ip route get {remote}`)
router-remembers-mtu-for-remote-for-left-something-on-the-way-answered-fragmentation-needed-ip-route = { $router } は { $remote } への経路 MTU を { $mtu } とキャッシュしている（{ $left }）。途中の機器が "fragmentation needed" を返したため（`ip route get { $remote }` で確認）

# larger ones without DF vanish
larger-ones-without-DF-vanish = DF のない大きなパケットは消える

# with `df set` larger ones without DF vanish
with-df-set-larger-ones-without-DF-vanish = `df set` のため、DF のない大きなパケットは消える

# larger ones without DF leave in outer fragments: they vanish where the underlay loses fragments
larger-ones-without-DF-leave-in-outer-fragments-they-vanish-where-the-underlay-loses-fragments = DF のない大きなパケットは外側で断片化されて送られ、アンダーレイがフラグメントを破棄する箇所で消える

# {carries}; {why}: after the fix full-size packets travel as outer fragments (not measured), until the underlay carries {enough}. The safe fix is an MTU of at most {inner} on the hosts of both sites
carries-why-after-the-fix-full-size-packets-travel-as-outer-fragments-not-measured-until-the-underlay = { $carries }。{ $why }。対処後も、アンダーレイが { $enough } バイトを通せるようになるまで、フルサイズのパケットは外側でフラグメントに分割して送られる（未測定）。安全な対処は、両拠点のホストの MTU を { $inner } 以下にすること

# the router will signal
the-router-will-signal = ルータが通知を返す

# the router will signal if its kernel is 5.8 or later
the-router-will-signal-if-its-kernel-is-5-8-or-later = ルータのカーネルが 5.8 以降なら通知を返す

# {carries}; after the fix {signals} packets with DF, and forward is `reduced` at {inner}; those without DF vanish (measured, 6.18), so only a reflector can measure the reverse direction, until the underlay carries {enough}
carries-after-the-fix-signals-packets-with-DF-and-forward-is-reduced-at-inner-those-without-DF-vanish = { $carries }。対処後は、DF 付きの大きすぎるパケットに対し{ $signals }ようになり、行きの経路 MTU は { $inner }、判定は「MTU 縮小」（`reduced`）になる。DF のないものは消える（6.18 で実測）ため、アンダーレイが { $enough } バイトを通せるようになるまで、戻りは reflector でしか測定できない

# {carries}; after the fix {signals}, and the verdict becomes `reduced` at {inner} until the underlay carries {enough}
carries-after-the-fix-signals-and-the-verdict-becomes-reduced-at-inner-until-the-underlay-carries = { $carries }。対処後は、大きすぎるパケットに対し{ $signals }ようになる。ただし、アンダーレイが { $enough } バイトを通せるようになるまで、経路 MTU は { $inner } にとどまり、判定は「MTU 縮小」（`reduced`）になる

# larger packets travel in fragments, without a signal
larger-packets-travel-in-fragments-without-a-signal = 大きなパケットは通知なしに断片化される

# with `df set` larger packets without DF are dropped silently
with-df-set-larger-packets-without-DF-are-dropped-silently = `df set` のため、DF のない大きなパケットは通知なしに破棄される

# larger packets are signalled, or vanish if they carry no DF
larger-packets-are-signalled-or-vanish-if-they-carry-no-DF = 大きなパケットには通知が返る。DF がなければ消える

# larger packets are signalled, or travel in fragments if they allow it
larger-packets-are-signalled-or-travel-in-fragments-if-they-allow-it = 大きなパケットには通知が返るか、許されるなら断片化される

# {end} mtu {inner} + {headers} > {mtu}, the MTU of the route to {remote} out of {device}: {larger}
end-mtu-inner-headers-mtu-the-MTU-of-the-route-to-remote-out-of-device-larger = { $end } の MTU { $inner } + { $headers } > { $mtu }（{ $device } から { $remote } へのルートの MTU）: { $larger }

## path/loss/reach.rs

# {half} ICMP, {half} TCP
half-ICMP-half-TCP = ICMP { $half }、TCP { $half }

# ICMP
ICMP = ICMP

# TCP
TCP = TCP

# {burst} small probes ({mix}, half on new ids or ports) within {took} s all unanswered
burst-small-probes-mix-half-on-new-ids-or-ports-within-took-s-all-unanswered = { $took } 秒間に送った小さなプローブ { $burst } 個（{ $mix }、半数は新しい ID またはポート）がすべて応答なし

# {silent}, and it has never answered since start
silent-and-it-has-never-answered-since-start = { $silent }。開始以来、一度も応答がない

# {silent}; ICMP rate-limited before that
silent-ICMP-rate-limited-before-that = { $silent }。その前に ICMP のレート制限があった

# {silent}; unreachable for {seconds} s
silent-unreachable-for-seconds-s = { $silent }。到達不能になって { $seconds } 秒

## path/pairs.rs

# 1 control lost
n-1-control-lost = 対照パケットのロス 1 個

# {number} controls lost
number-controls-lost = 対照パケットのロス { $number } 個

## path/prober/above.rs

# packets of {size} bytes, which fit our interface but not our route, were not answered {unanswered} times in a row: hosts without that route would hang
packets-of-size-bytes-which-fit-our-interface-but-not-our-route-were-not-answered-unanswered-times = 自インタフェースの MTU には収まるが、自ホストの経路に設定された MTU を超える { $size } バイトのパケットに、{ $unanswered } 回続けて応答がない。この経路設定のないホストでは通信が止まる

## path/prober/facts.rs

# {rule}; the target's interface is larger than its MSS says
rule-the-target-s-interface-is-larger-than-its-MSS-says = { $rule }、宛先のインタフェースは MSS が示すより大きい

# configured
configured = 設定値

# MSS in the target's SYN-ACK
MSS-in-the-target-s-SYN-ACK = 宛先の SYN-ACK の MSS

# our own interface
our-own-interface = 自インタフェース

## path/prober/reflected.rs

# the reflector has not answered yet
the-reflector-has-not-answered-yet = reflector からまだ応答がない

# the reflector cannot be used, directions are inferred: {why}
the-reflector-cannot-be-used-directions-are-inferred-why = reflector を使えないため、方向は推定による: { $why }

# forward, reflector: {finding}
forward-reflector-finding = 行き、reflector: { $finding }

# reverse, reflector: {finding}
reverse-reflector-finding = 戻り、reflector: { $finding }

# the reflector's interface takes at most {mtu} bytes
the-reflector-s-interface-takes-at-most-mtu-bytes = reflector のインタフェースは { $mtu } バイトまでしか受け取れない

# sizes are being measured
sizes-are-being-measured = サイズを測定中

# {size} bytes arrive
size-bytes-arrive = { $size } バイトが届く

# the edge is being searched
the-edge-is-being-searched = 境界を探索中

# {answered} arrive, {silent} do not
answered-arrive-silent-do-not = { $answered } は届き、{ $silent } は届かない

# {answered} arrive, exact edge being searched
answered-arrive-exact-edge-being-searched = { $answered } は届く、正確な境界を探索中

# {size} bytes vanish without a signal ({pairs} pairs lost the large segment and kept the small one, {lost}); {edge}
size-bytes-vanish-without-a-signal-pairs-pairs-lost-the-large-segment-and-kept-the-small-one-lost = { $size } バイトが通知なしに消える（{ $pairs } 組で大きなセグメントだけが失われ、小さなセグメントは届いた、{ $lost }）。{ $edge }

# size-dependent loss, no edge
size-dependent-loss-no-edge = サイズに応じたロスがあるが、明確な境界はない

# not usable: {why}
not-usable-why = 使用不可: { $why }

# no more can be tested: the sender was told of a path MTU of {mtu} within the last 10 min (cached)
no-more-can-be-tested-the-sender-was-told-of-a-path-MTU-of-mtu-within-the-last-10-min-cached = これ以上は測定できない: 送信側が直近 10 分以内に経路 MTU { $mtu } の通知を受けている（キャッシュ）

# no more can be tested: TCP segments here are at most {limit} bytes
no-more-can-be-tested-TCP-segments-here-are-at-most-limit-bytes = これ以上は測定できない: この環境の TCP セグメントは最大 { $limit } バイト

# {lost} of {sent} small segments lost ({percent} %)
lost-of-sent-small-segments-lost-percent = 小さなセグメントは { $sent } 個中 { $lost } 個がロス（{ $percent } %）

## path/reflection/size_hunt.rs

# {pairs} pairs at {size} bytes without a decision: {lost}
pairs-pairs-at-size-bytes-without-a-decision-lost = { $size } バイトで { $pairs } 組試しても判定できない: { $lost }

## path/refusal.rs

# our own interface has no carrier
our-own-interface-has-no-carrier = 自インタフェースのリンクがダウンしている

# this process runs too late to receive answers: too little CPU, or a flood
this-process-runs-too-late-to-receive-answers-too-little-CPU-or-a-flood = このプロセスの動作が遅れ、応答を受け取れない。CPU 不足または大量のパケット

# nothing leaves our own host ({error})
nothing-leaves-our-own-host-error = 自ホストから何も送信できない（{ $error }）

# our own host refuses to send ({error})
our-own-host-refuses-to-send-error = 自ホストが送信を拒否している（{ $error }）

## path/tcp/life.rs

# another port
another-port = 別のポート

# port {port}
port-port = ポート { $port }

# TCP port {port} of the target does not answer while {other} does ({silence}): that port is filtered, the path is fine; sizes are not tested by TCP there
TCP-port-port-of-the-target-does-not-answer-while-other-does-silence-that-port-is-filtered-the-path = 宛先の TCP ポート { $port } は応答せず、{ $other } は応答する（{ $silence }）。そのポートがフィルタされており、パスは正常。そこでは TCP によるサイズの検査はしない

# TCP does not pass though ping does: {silence}
TCP-does-not-pass-though-ping-does-silence = ping は通るのに TCP が通らない: { $silence }

# look for a firewall that drops TCP, at the target or on the way, and at checksum offload: on both routers and hosts `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the underlay's interface, then the vxlan one)
look-for-a-firewall-that-drops-TCP-at-the-target-or-on-the-way-and-at-checksum-offload-on-both-routers = 宛先または途中で TCP を破棄するファイアウォールと、チェックサムオフロードを確認する。両方のルータとホストで `ethtool -K DEV tx-checksum-ip-generic off`（DEV: アンダーレイのインタフェース、次に vxlan インタフェース）

# {own} SYNs to port {port} within {took} s all unanswered, each beside a small echo that was answered; {lost} echoes lost
own-SYNs-to-port-port-within-took-s-all-unanswered-each-beside-a-small-echo-that-was-answered-lost = ポート { $port } への SYN { $own } 個が { $took } 秒間すべて応答なし。並行して送った小さなエコーには応答があった（エコーのロス { $lost }）

# {own} SYNs to port {port} and {others} to ports {ports} within {took} s all unanswered, each beside a small echo that was answered; {lost} echoes lost
own-SYNs-to-port-port-and-others-to-ports-ports-within-took-s-all-unanswered-each-beside-a-small = ポート { $port } への SYN { $own } 個とポート { $ports } への { $others } 個が { $took } 秒間すべて応答なし。並行して送った小さなエコーには応答があった（エコーのロス { $lost }）

## path/tcp/origin.rs

# their TTL is {tcp}, that of its echo replies {echo}
their-TTL-is-tcp-that-of-its-echo-replies-echo = TTL が { $tcp } で、宛先のエコー応答は { $echo }

# RST and SYN-ACK alternate
RST-and-SYN-ACK-alternate = RST と SYN-ACK が混在

# TCP is answered by another box, not by the target ({why}): forward is judged by DF echoes
TCP-is-answered-by-another-box-not-by-the-target-why-forward-is-judged-by-DF-echoes = TCP に応答しているのは宛先ではなく別の機器（{ $why }）。行きは DF エコーで判定する

## path/tcp/payload/burst.rs

# {own} connections to TCP port {port} acknowledged no byte within {took} s, while {answered} of {controls} small SYNs beside them were answered
own-connections-to-TCP-port-port-acknowledged-no-byte-within-took-s-while-answered-of-controls-small = TCP ポート { $port } への接続 { $own } 本のいずれでも、{ $took } 秒間に 1 バイトの ACK も返らなかった。並行して送った小さな SYN には { $controls } 個中 { $answered } 個の応答があった

# {own} connections to TCP port {port} could not be opened within {took} s, while {answered} of {controls} small SYNs beside them were answered
own-connections-to-TCP-port-port-could-not-be-opened-within-took-s-while-answered-of-controls-small = TCP ポート { $port } への接続 { $own } 本が { $took } 秒間、1 本も確立しなかった。並行して送った小さな SYN には { $controls } 個中 { $answered } 個の応答があった

## path/tcp/payload/words.rs

# look for a middlebox or firewall that lets a handshake pass and drops what follows, and at checksum offload: on both routers and hosts `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the underlay's interface, then the vxlan one); if that port alone is open, at its server too: a SYN proxy before one that is down looks the same
look-for-a-middlebox-or-firewall-that-lets-a-handshake-pass-and-drops-what-follows-and-at-checksum = ハンドシェイクを通してその後を破棄する中間機器やファイアウォールと、チェックサムオフロードを確認する。両方のルータとホストで `ethtool -K DEV tx-checksum-ip-generic off`（DEV: アンダーレイのインタフェース、次に vxlan インタフェース）。開いているのがそのポートだけなら、サーバも確認する。停止中のサーバの前にある SYN プロキシでも同じように見える

# look at checksum offload of this host's NIC: `ethtool -K DEV tx-checksum-ip-generic off` (DEV: the interface to the target); else for a box that drops SYNs with the kernel's options (timestamps, window scale, ECN)
look-at-checksum-offload-of-this-host-s-NIC-ethtool-K-DEV-tx-checksum-ip-generic-off-DEV-the-interface = このホストの NIC のチェックサムオフロードを確認する: `ethtool -K DEV tx-checksum-ip-generic off`（DEV: 宛先へのインタフェース）。違うなら、カーネルのオプション（タイムスタンプ、ウィンドウスケール、ECN）付きの SYN を破棄する機器を探す

# a byte on a connection to TCP port {port} was acknowledged
a-byte-on-a-connection-to-TCP-port-port-was-acknowledged = TCP ポート { $port } への接続で 1 バイトに ACK が返った

# nobody listens at TCP port {port} of the target: whether TCP carries payload is not tested
nobody-listens-at-TCP-port-port-of-the-target-whether-TCP-carries-payload-is-not-tested = 宛先の TCP ポート { $port } では待ち受けがない。TCP でデータが通るかは検査していない

# {proof}; port {other} works: port {port} is filtered, or its server accepts no connections; the path is fine
proof-port-other-works-port-port-is-filtered-or-its-server-accepts-no-connections-the-path-is-fine = { $proof }。ポート { $other } は使えるため、ポート { $port } がフィルタされているか、サーバが接続を受け付けていない。パスは正常

# SYNs are answered, payload is not: {proof}
SYNs-are-answered-payload-is-not-proof = SYN には応答があるが、データは届かない: { $proof }

# raw SYNs pass, the kernel's own connections do not: {proof}
raw-SYNs-pass-the-kernel-s-own-connections-do-not-proof = raw ソケットの SYN は通るが、カーネルの TCP 接続は通らない: { $proof }

## path/tcp/pinned.rs

# old flows were dead, new ones pass: a stateful box remembers ({lost} echoes of the old identifier lost and none answered, {answered} of new ones sent beside them answered, {ago} s ago); switched to new ones
old-flows-were-dead-new-ones-pass-a-stateful-box-remembers-lost-echoes-of-the-old-identifier-lost = 古いフローは切れていたが、新しいフローは通る。ステートフルな機器が記憶している（{ $ago } 秒前、古い ID のエコーは { $lost } 個すべて応答なし、並行して送った新しいものは { $answered } 個に応答）。新しいフローに切り替えた

# old flows were dead, new ones pass: a stateful box remembers ({lost} SYNs from the old ports lost and none answered, {answered} of new ones sent beside them answered, {ago} s ago); switched to new ones
old-flows-were-dead-new-ones-pass-a-stateful-box-remembers-lost-SYNs-from-the-old-ports-lost-and = 古いフローは切れていたが、新しいフローは通る。ステートフルな機器が記憶している（{ $ago } 秒前、古いポートの SYN は { $lost } 個すべて応答なし、並行して送った新しいものは { $answered } 個に応答）。新しいフローに切り替えた

## path/verdict/evidence.rs

# {trouble}: nothing can be said about the network
trouble-nothing-can-be-said-about-the-network = { $trouble }。ネットワークの状態は判断できない

# DF echoes of {size} bytes come back whole
DF-echoes-of-size-bytes-come-back-whole = { $size } バイトの DF 付きエコーが断片化されずに戻る

# ICMP rate-limited: answers per second do not rise with probes per second
ICMP-rate-limited-answers-per-second-do-not-rise-with-probes-per-second = ICMP のレート制限あり: プローブを増やしても毎秒の応答数が増えない

# SYNs with data are not answered, SYNs without data are: SYNs cannot test sizes here
SYNs-with-data-are-not-answered-SYNs-without-data-are-SYNs-cannot-test-sizes-here = データ付きの SYN には応答がなく、データのない SYN には応答がある。ここでは SYN でサイズを検査できない

# reverse: replies came in fragments of at most {bytes} bytes, so that is the most that comes back in one piece
reverse-replies-came-in-fragments-of-at-most-bytes-bytes-so-that-is-the-most-that-comes-back-in-one = 戻り: 応答は最大 { $bytes } バイトのフラグメントで届いたため、断片化なしで戻るのはここまで

# DF echo: {hole}
DF-echo-hole = DF 付きエコー: { $hole }

# forward, padded TCP SYN: {hole}
forward-padded-TCP-SYN-hole = 行き、データ付き TCP SYN: { $hole }

# the other flows meet no hole: one of several underlay legs has it
the-other-flows-meet-no-hole-one-of-several-underlay-legs-has-it = ほかのフローにはブラックホールがない。複数あるアンダーレイの経路（ECMP など）のうち 1 つにある

# DF echoes of {size} bytes come back whole: ICMP is one flow, on one leg
DF-echoes-of-size-bytes-come-back-whole-ICMP-is-one-flow-on-one-leg = { $size } バイトの DF 付きエコーは断片化されずに戻る。ICMP は 1 フローなので、1 つの経路しか通らない

# forward, padded TCP SYN: {size} bytes are answered
forward-padded-TCP-SYN-size-bytes-are-answered = 行き、データ付き TCP SYN: { $size } バイトに応答あり

# reverse, echo request in fragments: {hole}
reverse-echo-request-in-fragments-hole = 戻り、断片化したエコー要求: { $hole }

# reverse, echo request in fragments: replies of {size} bytes come back whole
reverse-echo-request-in-fragments-replies-of-size-bytes-come-back-whole = 戻り、断片化したエコー要求: { $size } バイトの応答が断片化されずに戻る

# the direction is not proven (yet)
the-direction-is-not-proven-yet = 方向は（まだ）確定していない

# the direction is not known: measuring it requires CAP_NET_RAW
the-direction-is-not-known-measuring-it-requires-CAP_NET_RAW = 方向は不明。測定には CAP_NET_RAW が必要

# {expected} bytes are answered with "fragmentation needed" by a bridge or router on the way on some TCP flows; {size} bytes are answered
expected-bytes-are-answered-with-fragmentation-needed-by-a-bridge-or-router-on-the-way-on-some-TCP = { $expected } バイトには、一部の TCP フローで、途中のブリッジまたはルータが "fragmentation needed" を返す。{ $size } バイトには応答あり

# {expected} bytes are answered with "fragmentation needed" by a bridge or router on the way; {size} bytes are answered
expected-bytes-are-answered-with-fragmentation-needed-by-a-bridge-or-router-on-the-way-size-bytes = { $expected } バイトには途中のブリッジまたはルータが "fragmentation needed" を返す。{ $size } バイトには応答あり

# {answered} answered, {silent} not: below IPv6's minimum of {least}
answered-answered-silent-not-below-IPv6-s-minimum-of-least = { $answered } は応答あり、{ $silent } は応答なし。IPv6 の最小 MTU { $least } を下回る

# {answered} answered, {silent} not
answered-answered-silent-not = { $answered } は応答あり、{ $silent } は応答なし

# {answered} answered, exact edge being searched
answered-answered-exact-edge-being-searched = { $answered } は応答あり、正確な境界を探索中

# {size} bytes vanish without a signal ({pairs} pairs lost the large packet and kept the small one, {lost}); {edge}
size-bytes-vanish-without-a-signal-pairs-pairs-lost-the-large-packet-and-kept-the-small-one-lost = { $size } バイトが通知なしに消える（{ $pairs } 組で大きなパケットだけが失われ、小さなパケットは通った、{ $lost }）。{ $edge }

# {size} bytes vanish without a signal ({pairs} pairs on {flows} of {all} TCP flows lost the large packet and kept the small one, {lost}); {edge}
size-bytes-vanish-without-a-signal-pairs-pairs-on-flows-of-all-TCP-flows-lost-the-large-packet-and = { $size } バイトが通知なしに消える（TCP フロー { $all } 本中 { $flows } 本、{ $pairs } 組で大きなパケットだけが失われ、小さなパケットは通った、{ $lost }）。{ $edge }

# small echoes: {lost} of {sent} lost ({percent} %) in the last 5 min
small-echoes-lost-of-sent-lost-percent-in-the-last-5-min = 小さなエコー: 直近 5 分で { $sent } 個中 { $lost } 個がロス（{ $percent } %）

## path/verdict/evidence/expected.rs

# expected MTU {bytes} bytes ({rule})
expected-MTU-bytes-bytes-rule = MTU の期待値は { $bytes } バイト（{ $rule }）

# expected MTU to the target {bytes} bytes ({rule}: TCP sends no more)
expected-MTU-to-the-target-bytes-bytes-rule-TCP-sends-no-more = 行きの MTU の期待値は { $bytes } バイト（{ $rule }、TCP はそれより大きく送らない）

# expected MTU from the target {bytes} bytes ({rule})
expected-MTU-from-the-target-bytes-bytes-rule = 戻りの MTU の期待値は { $bytes } バイト（{ $rule }）

# reverse: replies of {size} bytes come back whole
reverse-replies-of-size-bytes-come-back-whole = 戻り: { $size } バイトの応答が断片化されずに戻る

# if the MSS of our own SYN is clamped on the way too, which only the target can see, TCP avoids this hole and other protocols do not: set `expected_mtu` if that is intended
if-the-MSS-of-our-own-SYN-is-clamped-on-the-way-too-which-only-the-target-can-see-TCP-avoids-this = 自ホストの SYN の MSS も途中で書き換えられている場合（宛先でしかわからない）、TCP はこのブラックホールを避け、ほかのプロトコルは避けられない。意図した構成なら `expected_mtu` を設定する

# the target's MSS allows {mtu} bytes, exactly the size that is signalled on the way: the target remembers that path MTU, so it is not taken as expected
the-target-s-MSS-allows-mtu-bytes-exactly-the-size-that-is-signalled-on-the-way-the-target-remembers = 宛先の MSS が許すのは { $mtu } バイトで、途中で通知されるサイズと同じ。宛先がその経路 MTUを記憶しているため、期待値とはしない

# reverse: the target itself fragments larger replies to {mtu} bytes, which it can only have learned from a signal: the way back is signalled too
reverse-the-target-itself-fragments-larger-replies-to-mtu-bytes-which-it-can-only-have-learned-from = 戻り: 宛先自身が大きな応答を { $mtu } バイトに断片化している。通知を受けなければ知り得ないサイズなので、戻りでも通知が届いている

# larger replies arrive in fragments of exactly {named} bytes: because of the target's own interface or route, or a path MTU that it remembers; a router that fragments them would look the same
larger-replies-arrive-in-fragments-of-exactly-named-bytes-because-of-the-target-s-own-interface-or = 大きな応答はちょうど { $named } バイトのフラグメントで届く。宛先自身のインタフェースか経路、または記憶している経路 MTUによる。途中のルータが断片化しても同じに見える

# reverse: replies of {size} bytes without DF vanish ({pairs} pairs, {lost}), those of {kept} arrive: if the tunnel sends the larger ones in outer fragments, these are lost
reverse-replies-of-size-bytes-without-DF-vanish-pairs-pairs-lost-those-of-kept-arrive-if-the-tunnel = 戻り: DF のない { $size } バイトの応答は消え（{ $pairs } 組、{ $lost }）、{ $kept } バイトは届く。トンネルが大きなものを外側で断片化しているなら、そのフラグメントが失われている

## path/verdict/evidence/unknown.rs

# can test only up to {testable} bytes, the limit of our own interface: run in the host's network
can-test-only-up-to-testable-bytes-the-limit-of-our-own-interface-run-in-the-host-s-network = 検査できるのは自インタフェースの上限の { $testable } バイトまで。ホストのネットワークで実行する

# ICMP above {edge} bytes is dropped: a filter of large ICMP hides the path MTU
ICMP-above-edge-bytes-is-dropped-a-filter-of-large-ICMP-hides-the-path-MTU = { $edge } バイトを超える ICMP が破棄されている。大きな ICMP のフィルタにより経路 MTUが不明

# too early to tell
too-early-to-tell = 判定にはまだ早い

# the target's name cannot be resolved
the-target-s-name-cannot-be-resolved = 宛先の名前を解決できない

# nothing leaves our own host
nothing-leaves-our-own-host = 自ホストから何も送信できない

# the target is this machine's own address
the-target-is-this-machine-s-own-address = 宛先はこのマシン自身のアドレス

# not probed now
not-probed-now = 現在は測定していない

# the far end cannot take the expected size
the-far-end-cannot-take-the-expected-size = 相手側が期待するサイズを受け取れない

# forward, {size} bytes are answered and larger packets are signalled; larger replies vanish, but they carry no DF, and packets with DF may be signalled as ours are (over an IPv6 underlay they are): a reflector at the far end would measure it
forward-size-bytes-are-answered-and-larger-packets-are-signalled-larger-replies-vanish-but-they-carry = 行きは { $size } バイトに応答があり、それより大きいと通知が返る。大きな応答は消えるが、DF が付いていない。DF 付きなら行きと同じく通知が返る可能性がある（アンダーレイが IPv6 なら返る）。相手側に reflector があれば測定できる

# replies are fragmented on the way back, which says nothing about packets with DF: a reflector at the far end would measure it
replies-are-fragmented-on-the-way-back-which-says-nothing-about-packets-with-DF-a-reflector-at-the = 応答が戻りで断片化されているため、DF 付きのパケットが通るかどうかは判断できない。対向側に reflector があれば測定できる

# padded TCP SYNs pass forward; ICMP is not answered, so reverse cannot be measured
padded-TCP-SYNs-pass-forward-ICMP-is-not-answered-so-reverse-cannot-be-measured = データ付き TCP SYN は行きを通る。ICMP に応答がないため、戻りは測定できない

# no ICMP socket: only TCP connections are tried, and they are answered; sizes are not tested
no-ICMP-socket-only-TCP-connections-are-tried-and-they-are-answered-sizes-are-not-tested = ICMP ソケットがないため TCP 接続だけを試し、応答はある。サイズは検査していない

# no ICMP socket: only TCP connections are tried, and none is answered; sizes are not tested
no-ICMP-socket-only-TCP-connections-are-tried-and-none-is-answered-sizes-are-not-tested = ICMP ソケットがないため TCP 接続だけを試したが、応答がない。サイズは検査していない

# no ICMP socket for sized echoes: only small echoes are sent, sizes are not tested
no-ICMP-socket-for-sized-echoes-only-small-echoes-are-sent-sizes-are-not-tested = サイズを指定できる ICMP ソケットがないため、小さなエコーだけを送る。サイズは検査していない

# the target answers TCP but not ICMP, and here only ICMP can test sizes: sizes are not tested (padded TCP SYNs require CAP_NET_RAW)
the-target-answers-TCP-but-not-ICMP-and-here-only-ICMP-can-test-sizes-sizes-are-not-tested-padded = 宛先は TCP に応答し ICMP には応答しないが、ここでは ICMP でしかサイズを検査できない。サイズは検査していない（データ付き TCP SYN には CAP_NET_RAW が必要）

# no SYN to the path's TCP port is answered, and it is not proven whether TCP passes
no-SYN-to-the-path-s-TCP-port-is-answered-and-it-is-not-proven-whether-TCP-passes = パスの TCP ポートへの SYN に応答がなく、TCP が通るかどうかは確定していない

# SYNs to the path's TCP port are answered, and it is not proven whether TCP carries payload
SYNs-to-the-path-s-TCP-port-are-answered-and-it-is-not-proven-whether-TCP-carries-payload = パスの TCP ポートへの SYN には応答があるが、TCP でデータが通るかどうかは確定していない

# full-size probes are not answered, but there is not enough proof
full-size-probes-are-not-answered-but-there-is-not-enough-proof = フルサイズのプローブに応答がないが、確証が足りない

# the MSS in the target's SYN-ACK allows {named} bytes, but it sends more: replies of {size} bytes arrive in fragments, which says nothing about packets with DF: a reflector at the far end would measure it
the-MSS-in-the-target-s-SYN-ACK-allows-named-bytes-but-it-sends-more-replies-of-size-bytes-arrive = 宛先の SYN-ACK の MSS が許すのは { $named } バイトだが、宛先はそれより大きく送る。{ $size } バイトの応答はフラグメントで届き、DF 付きのパケットについては何も言えない。相手側に reflector があれば測定できる

# the MSS in the target's SYN-ACK allows {named} bytes, and replies larger than {answered} vanish: a hole, if the MSS was clamped on the way; lost fragments, if the target's interface is that small: a reflector at the far end, or `expected_mtu`, would decide it
the-MSS-in-the-target-s-SYN-ACK-allows-named-bytes-and-replies-larger-than-answered-vanish-a-hole = 宛先の SYN-ACK の MSS が許すのは { $named } バイトで、{ $answered } バイトを超える応答は消える。途中で MSS が書き換えられたならブラックホール、宛先のインタフェースがその大きさならフラグメントのロス。相手側の reflector か `expected_mtu` で判別できる

# the MSS in the target's SYN-ACK allows {named} bytes, which limits what we send; the target may send {size}, but that cannot be tested: it answers no echo request of that size, in fragments or whole: a reflector at the far end, or `expected_mtu`, would decide it
the-MSS-in-the-target-s-SYN-ACK-allows-named-bytes-which-limits-what-we-send-the-target-may-send = 宛先の SYN-ACK の MSS が許すのは { $named } バイトで、行きはここまで。宛先は { $size } バイトまで送るかもしれないが、検査できない。そのサイズのエコー要求には、フラグメントでも 1 個のパケットでも応答がない。相手側の reflector か `expected_mtu` で判別できる

# this process runs too late to hear what becomes of full-size packets: too little CPU, or a flood
this-process-runs-too-late-to-hear-what-becomes-of-full-size-packets-too-little-CPU-or-a-flood = このプロセスの動作が遅れ、フルサイズのパケットの結果を受け取れない。CPU 不足または大量のパケット

## path/verdict/expected_mtu.rs

# our own host's route by {interface} has mtu {mtu}
our-own-host-s-route-by-interface-has-mtu-mtu = 自ホストの { $interface } 経由の経路の MTU が { $mtu }

# our egress {interface}
our-egress-interface = 自ホストの出力インタフェース { $interface }

# router {router}'s bridge port {port}
router-router-s-bridge-port-port = ルータ { $router } のブリッジポート { $port }

## probe/target.rs

# cannot resolve {host}: {error}
cannot-resolve-host-error = { $host } を名前解決できない: { $error }

# {host} has no IPv4 address, which `family: 4` asks for
host-has-no-IPv4-address-which-family-4-asks-for = { $host } には、`family: 4` で指定された IPv4 アドレスがない

# {host} has no IPv6 address beyond link-local ones, which `family: 6` asks for
host-has-no-IPv6-address-beyond-link-local-ones-which-family-6-asks-for = { $host } には、`family: 6` で指定された IPv6 アドレス（リンクローカル以外）がない

# {host} has only link-local IPv6 addresses, which cannot be probed: their scope is ours alone
host-has-only-link-local-IPv6-addresses-which-cannot-be-probed-their-scope-is-ours-alone = { $host } にはリンクローカルの IPv6 アドレスしかなく、スコープがこのマシン内に限られるため測定できない

## probe/track.rs

# {address} is this machine's own address: no overlay is crossed
address-is-this-machine-s-own-address-no-overlay-is-crossed = { $address } はこのマシン自身のアドレスで、オーバーレイを経由しない

# nothing can be sent to it: {why}
nothing-can-be-sent-to-it-why = 何も送信できない: { $why }

## reflector/client.rs

# no connection to port {port}: {error}
no-connection-to-port-port-error = ポート { $port } に接続できない: { $error }

# the peer ended the greeting ({ended}): not a reflector, or our address is not in its allowed_sources
the-peer-ended-the-greeting-ended-not-a-reflector-or-our-address-is-not-in-its-allowed_sources = 相手が最初のやり取りの途中で切断した（{ $ended }）。reflector でないか、このマシンのアドレスが相手の allowed_sources にない

# the peer accepts the connection and does not answer
the-peer-accepts-the-connection-and-does-not-answer = 相手は接続を受け付けるが、応答しない

# the reflector refuses: {reason}
the-reflector-refuses-reason = reflector が拒否した: { $reason }

# the reflector requires a secret: set `reflector_secret_file`
the-reflector-requires-a-secret-set-reflector_secret_file = reflector がシークレットを要求している。`reflector_secret_file` を設定する

# the reflector has no secret and so proves nothing: give it the same one, `secret_file`, or leave out `reflector_secret_file`
the-reflector-has-no-secret-and-so-proves-nothing-give-it-the-same-one-secret_file-or-leave-out-reflector_secret_file = reflector にシークレットがなく、本物であることを確認できない。同じシークレットを `secret_file` で与えるか、`reflector_secret_file` を外す

# what answers does not prove that it knows the secret: it is not our reflector
what-answers-does-not-prove-that-it-knows-the-secret-it-is-not-our-reflector = 応答した相手はシークレットを知っていることを証明できない。こちらの reflector ではない

# what answers describes itself as no host can be ({welcome}): it is not our reflector
what-answers-describes-itself-as-no-host-can-be-welcome-it-is-not-our-reflector = 応答した相手の自己申告があり得ない値（{ $welcome }）。こちらの reflector ではない

# the reflector {ended}: it is given up
the-reflector-ended-it-is-given-up = reflector の動作が異常（{ $ended }）なため、使用をやめた

# the reflector ended {connections} connections one after the other before anything was measured, last: {ended}
the-reflector-ended-connections-connections-one-after-the-other-before-anything-was-measured-last = reflector が測定の前に { $connections } 回続けて接続を切った。最後は { $ended }

## reflector/keep_measuring.rs

# {why}; tried again after {wait} s
why-tried-again-after-wait-s = { $why }。{ $wait } 秒後に再試行

## router/legs.rs

# no ping was answered, not even a small one
no-ping-was-answered-not-even-a-small-one = 小さなものを含め、ping に応答がない

## router/legs/ping.rs

# the router itself refuses pings of that size as too large
the-router-itself-refuses-pings-of-that-size-as-too-large = ルータ自身が、そのサイズの ping を大きすぎるとして拒否する

# the router did not run the script
the-router-did-not-run-the-script = ルータがスクリプトを実行しなかった

# parse: ping did not send as many as it was told to
parse-ping-did-not-send-as-many-as-it-was-told-to = 解釈不能: ping が指定した数を送らなかった

# its ping knows no `-M do` (busybox), so sizes cannot be tested, only loss and round-trip time
its-ping-knows-no-M-do-busybox-so-sizes-cannot-be-tested-only-loss-and-round-trip-time = ルータの ping に `-M do` がなく（busybox）、サイズは検査できない。ロスと RTT だけを測定する

# parse: {error}
parse-error = 解釈不能: { $error }

# there is no `ping` for this user
there-is-no-ping-for-this-user = このユーザには `ping` がない

# its user may not ping out of a device or VRF: that needs rights it does not have
its-user-may-not-ping-out-of-a-device-or-VRF-that-needs-rights-it-does-not-have = このユーザには、デバイスや VRF を指定して ping する権限がない

# its user may not use `ping`
its-user-may-not-use-ping = このユーザは `ping` を使えない

# its ping does not know an option
its-ping-does-not-know-an-option = ルータの ping が対応していないオプションがある

# it cannot ping from {source}
it-cannot-ping-from-source = { $source } を送信元にして ping できない

# it has no address to ping from
it-has-no-address-to-ping-from = ping の送信元にできるアドレスがない

# it has no route to {remote}
it-has-no-route-to-remote = { $remote } への経路がない

# the name of its device {device} is not plain
the-name-of-its-device-device-is-not-plain = デバイス名 { $device } に使えない文字がある

## vendor/vyos.rs

# VyOS allows no vxlan interface named {interface}
VyOS-allows-no-vxlan-interface-named-interface = VyOS では { $interface } という名前の vxlan インタフェースを作れない

# VyOS before 1.4 has no command for df
VyOS-before-1-4-has-no-command-for-df = VyOS 1.4 より前には df のコマンドがない

# VyOS before 1.4 sends no signal for bridged packets
VyOS-before-1-4-sends-no-signal-for-bridged-packets = VyOS 1.4 より前は、ブリッジするパケットに通知を返さない

## web/page/asked.rs

# Probe now
Probe-now = 今すぐ測定

# Probe now needs a login, or in the configuration {setting}
Probe-now-needs-a-login-or-in-the-configuration-setting = 「今すぐ測定」にはログイン、または設定の { $setting } が必要

# Asked {ago} ago: nothing could be sent.
Asked-ago-ago-nothing-could-be-sent = { $ago } 前に要求: 何も送信できなかった。

# Asked {ago} ago: begins at once.
Asked-ago-ago-begins-at-once = { $ago } 前に要求: まもなく開始する。

# {share} small packets answered
share-small-packets-answered = 小さなパケット { $share } に応答

# {share} packets of {size} bytes answered
share-packets-of-size-bytes-answered = { $size } バイトのパケット { $share } に応答

# {number} answered by Packet Too Big
number-answered-by-Packet-Too-Big = { $number } 個に Packet Too Big の通知

# Probed {ago} ago: {counts}.
Probed-ago-ago-counts = { $ago } 前に測定: { $counts }。

# Probed {ago} ago so far: {counts}.
Probed-ago-ago-so-far-counts = { $ago } 前から測定中: { $counts }。

# {answered} of {sent}
answered-of-sent = { $sent } 個中 { $answered } 個

# Not probed
Not-probed = 測定しなかった

# Switched off by {setting} in the configuration.
Switched-off-by-setting-in-the-configuration = 設定の { $setting } により無効になっている。

# Only for those who had to log in or to show a certificate, who come from a network in {networks}, or who are on the exporter's machine. For everyone: {setting} in the configuration.
Only-for-those-who-had-to-log-in-or-to-show-a-certificate-who-come-from-a-network-in-networks-or = ログインまたは証明書が必要な利用者、{ $networks } のネットワークからの利用者、exporter のマシン上の利用者だけが使える。全員に許可するには、設定に { $setting } と書く。

# The page that asked is another site's.
The-page-that-asked-is-another-site-s = 要求元が別のサイトのページのため。

# The page is older than this process, or is not the exporter's: open the path and press its button.
The-page-is-older-than-this-process-or-is-not-the-exporter-s-open-the-path-and-press-its-button = ページがこのプロセスの開始前のものか、exporter のページではない。パスのページを開き、そこのボタンを押す。

# It was asked a moment ago: again in {wait} s.
It-was-asked-a-moment-ago-again-in-wait-s = 直前に測定が要求されている。{ $wait } 秒後に再実行できる。

# The path {name}
The-path-name = パス { $name }

## web/page/headline.rs

# What to type: {commands} on {routers}
What-to-type-commands-on-routers = 入力する{ $commands }（対象ルータ: { $routers }）

## web/page/way.rs

# to and from
to-and-from = と

# towards
towards = から宛先

# from
from = 宛て、送信元は
