#!/bin/sh
# GET /: what this guest knows about itself, as plain text.
read -r up _ </proc/uptime
printf 'Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
printf 'hostname: %s\nuptime: %s s\n' "$(hostname)" "$up"
ip -o addr | awk '$2 != "lo" { print "address: " $2 " " $4 }'
ip -o link | awk '/link\/ether/ { sub(/:$/, "", $2); for (i = 3; i < NF; i++) if ($i == "link/ether") print "mac: " $2 " " $(i + 1) }'
