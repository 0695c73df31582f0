#!/bin/sh
# Runs the template cases against Go itself, where Go and Sprig 3 are installed. Not part of make test.
# Debian: apt-get install golang-go golang-github-masterminds-sprig-dev   (or let Go fetch Sprig: GO111MODULE=on, in a module that asks for it)
cd "$(dirname "$0")" || exit 2
command -v "${GO:-go}" >/dev/null || { echo "Go is not installed: nothing compared"; exit 0; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
# Go finds the /v3 of Debian's packages only from within a module of its own path
mkdir -p "$work/src/cases" && cp against-go.go "$work/src/cases/" && echo 'module cases' >"$work/src/cases/go.mod" || exit 2
export GOPATH="$work:${GOPATH:-/usr/share/gocode}" GO111MODULE="${GO111MODULE:-off}" GOCACHE="${GOCACHE:-${TMPDIR:-/tmp}/dragoman-go-cache}" TZ=UTC
(cd "$work/src/cases" && "${GO:-go}" build -o "$work/against-go" .) || exit 2
cat ./*.jsonl | "$work/against-go"
