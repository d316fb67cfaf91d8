# Sourced by the probes: one day's data in $dir, removed at the end.
set -eu
export LC_ALL=C
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
sh data/make.sh 4000 "$dir"
