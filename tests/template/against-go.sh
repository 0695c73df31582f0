#!/bin/sh
# Runs the template cases against Go itself, where Go and Sprig 3 are installed. Not part of make test.
# Debian: apt-get install golang golang-github-masterminds-sprig-dev   (or let Go fetch Sprig: GO111MODULE=on)
cd "$(dirname "$0")" || exit 2
command -v "${GO:-go}" >/dev/null || { echo "Go is not installed: nothing compared"; exit 0; }
export GOPATH="${GOPATH:-/usr/share/gocode}" GO111MODULE="${GO111MODULE:-off}" GOCACHE="${GOCACHE:-${TMPDIR:-/tmp}/dragoman-go-cache}"
cat ./*.jsonl | "${GO:-go}" run against-go.go
