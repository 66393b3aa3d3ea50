#!/bin/sh
# Namespace, retention and search attributes of the town. Can be run again: what is there stays.
set -eu
bearer="authorization=Bearer $(cat "$TOKEN_FILE")"

ask() {
  temporal "$@" --address "$TEMPORAL_ADDRESS" --namespace "$NAMESPACE" --grpc-meta "$bearer"
}

# A new namespace is known to the whole server a few seconds after it was made.
patiently() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || exit 1
    sleep 1
  done
}

if said="$(ask operator namespace describe 2>&1 >/dev/null)"; then
  ask operator namespace update --retention "$RETENTION"
else
  case "$said" in
    *[Uu]nauthorized* | *PermissionDenied*)
      echo "Temporal refuses the token in $TOKEN_FILE: has it ended? Renew it (docs/production.md)." >&2
      exit 1
      ;;
  esac
  ask operator namespace create --retention "$RETENTION"
fi

patiently ask operator search-attribute list >/dev/null
present="$(ask operator search-attribute list)"
for attribute in $SEARCH_ATTRIBUTES; do
  name="${attribute%%=*}"
  echo "$present" | grep -qw "$name" || patiently ask operator search-attribute create --name "$name" --type "${attribute#*=}"
done
