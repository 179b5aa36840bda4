#!/bin/sh
# coturn with turnserver.conf and what is this machine's own: start.sh [options of turnserver]
#   ANTLITZ_TURN_SECRET       shared with the gateway. coturn takes an empty one, and then everybody's keys: refused here
#   ANTLITZ_TURN_PEER         the address, or comma list of addresses, of the gateways: the relay leads there alone
#   ANTLITZ_TURN_CERTIFICATE  a folder with turn.pem and turn.key, for turns:; without them there is none
# The secret goes into a file of the container's own, for a command line is everybody's to read.
set -eu
: "${ANTLITZ_TURN_SECRET:?is the secret that the gateway has, too}" "${ANTLITZ_TURN_PEER:?is the address of the gateway}"
here=$(dirname "$0")
umask 077
own=$(mktemp)
{
    cat "$here/turnserver.conf"
    echo "static-auth-secret=$ANTLITZ_TURN_SECRET"
    echo "$ANTLITZ_TURN_PEER" | tr ',' '\n' | sed 's/^ *\(.*[^ ]\) *$/allowed-peer-ip=\1/'
    if [ -r "${ANTLITZ_TURN_CERTIFICATE:-/certificate}/turn.pem" ]; then
        echo "cert=${ANTLITZ_TURN_CERTIFICATE:-/certificate}/turn.pem"
        echo "pkey=${ANTLITZ_TURN_CERTIFICATE:-/certificate}/turn.key"
    else
        echo "no-tls"
    fi
} > "$own"
exec turnserver -c "$own" "$@"
