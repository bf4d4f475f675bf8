#!/bin/sh
# Runs on a fickle router instead of the exporter's script: does what the file of the port says that
# was logged in to.
set -- $SSH_CONNECTION
read -r mode < DIRECTORY/mode-$4 || :
case $mode in
endless) exec yes vxlan ;;
garbage) exec head -c 100000 /dev/urandom ;;
dies) eval "$SSH_ORIGINAL_COMMAND" | head -c 900; kill -9 $PPID ;;
silent) exit 1 ;;
hangs) exec sleep 20 ;;
drips) i=0; while [ $i -lt 60 ]; do echo vxlan; sleep 0.3; i=$((i+1)); done ;;
refuses) echo 'You do not have a permission to execute VyOS command [ip]'; exit 1 ;;
crowd)
    ip() {
        case "$*" in
        *addr*) cat DIRECTORY/crowd ;;
        *) echo '[]' ;;
        esac
    }
    bridge() { echo '[]'; }
    eval "$SSH_ORIGINAL_COMMAND"
    ;;
*)
    ip() {
        case "$*" in
        *addr*) echo '[{"ifindex":2,"ifname":"eth0","flags":["UP"],"mtu":1500,"operstate":"UP","link_type":"ether","addr_info":[{"local":"10.99.0.1"}],"stats64":{"rx":{"bytes":0,"packets":0,"errors":0,"dropped":0},"tx":{"bytes":0,"packets":0,"errors":0,"dropped":0}}}]' ;;
        *) echo '[]' ;;
        esac
    }
    bridge() { echo '[]'; }
    eval "$SSH_ORIGINAL_COMMAND"
    ;;
esac
