#!/bin/sh
# Tells Dewline what a Drupal site runs, by sending its composer.lock. Needs curl, gzip and awk.
#
#   dewline-push.sh [--url URL] [--site ID] [--key-file FILE] [--lock FILE] [--quiet]
#
# Each can come from the environment instead: DEWLINE_PUSH_URL, DEWLINE_PUSH_SITE,
# DEWLINE_PUSH_KEY or DEWLINE_PUSH_KEY_FILE, DEWLINE_PUSH_LOCK (./composer.lock).
# The key is never printed, and never an argument: others on the machine could read it.
#
# Ends with 0: taken; 1: refused; 2: wrong usage; 3: could not be reached, or not now: try later.
set -u

url=${DEWLINE_PUSH_URL:-}
site=${DEWLINE_PUSH_SITE:-}
key=${DEWLINE_PUSH_KEY:-}
key_file=${DEWLINE_PUSH_KEY_FILE:-}
lock=${DEWLINE_PUSH_LOCK:-composer.lock}
quiet=

say() { echo "dewline-push: $*" >&2; }
usage() {
    say "$*"
    say "see the first lines of this file, or the manual of your Dewline"
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --url | --site | --key-file | --lock) [ $# -gt 1 ] || usage "$1 needs a value" ;;
    esac
    case $1 in
    --url) url=$2 && shift 2 ;;
    --site) site=$2 && shift 2 ;;
    --key-file) key_file=$2 && shift 2 ;;
    --lock) lock=$2 && shift 2 ;;
    --quiet) quiet=yes && shift ;;
    -h | --help) sed -n '2,/^set -u/{/^set -u/d;s/^# \{0,1\}//;p;}' "$0" && exit 0 ;;
    *) usage "$1 is not known" ;;
    esac
done

command -v curl >/dev/null 2>&1 || usage "curl is needed"
[ -n "$url" ] || usage "where is Dewline? Give --url or DEWLINE_PUSH_URL"
[ -n "$site" ] || usage "which site is this? Give --site or DEWLINE_PUSH_SITE"
case $url in http://* | https://*) ;; *) usage "the URL must begin with https:// or http://" ;; esac
case $site in *[!0-9]*) usage "the site is a number, as its page and its key's page show it" ;; esac
if [ -z "$key" ] && [ -n "$key_file" ]; then
    [ -r "$key_file" ] || usage "cannot read the key file $key_file"
    key=$(head -n 1 "$key_file" | tr -d '\r')
fi
[ -n "$key" ] || usage "no key: give DEWLINE_PUSH_KEY, DEWLINE_PUSH_KEY_FILE or --key-file"
case $key in *[!A-Za-z0-9_]*) usage "that is not a key of Dewline: those begin with dwl_" ;; dwl_*) ;; *) usage "that is not a key of Dewline: those begin with dwl_" ;; esac
[ -r "$lock" ] || usage "cannot read $lock: run this where composer.lock is, or give --lock"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
gzip -c "$lock" >"$work/body" 2>/dev/null || usage "gzip is needed"

# The key goes to curl on standard input, so that no process list shows it.
status=$(printf 'header = "X-API-Key: %s"\n' "$key" | curl --config - --silent --show-error \
    --request POST "${url%/}/api/v1/sites/$site/composer-lock" \
    --header 'Content-Type: application/json' --header 'Content-Encoding: gzip' \
    --data-binary "@$work/body" --connect-timeout 10 --max-time 60 \
    --output "$work/answer" --write-out '%{http_code}' 2>"$work/trouble") || {
    say "$url cannot be reached: $(sed 's/^curl: //' "$work/trouble")"
    exit 3
}

# The sentences of a problem answer, without needing a JSON tool.
detail() {
    tr -d '\n' <"$work/answer" |
        awk -F'"detail" *: *"' '{ for (i = 2; i <= NF; i++) { split($i, s, "\""); print s[1] } }' |
        head -n 20
}

case $status in
200 | 201 | 202)
    [ -n "$quiet" ] || echo "taken: $lock is now what Dewline knows of site $site"
    exit 0
    ;;
429 | 502 | 503 | 504)
    say "not now ($status): try again later. $(detail)"
    exit 3
    ;;
401) say "refused (401): the key is not known, has expired, or was revoked" ;;
403 | 404) say "refused ($status): this key is not for site $site at $url" ;;
409) say "refused (409): $(detail)" ;;
*) say "refused ($status): $(detail)" ;;
esac
exit 1
