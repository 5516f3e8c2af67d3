"""The router of one L3 network as a network namespace on a host: DHCP, DNS and SNAT.

The namespace has two links: ``lan`` into the L2 network's bridge, with the gateway's addresses, and ``wan``
into the public bridge, with the router's public address and the default route. dnsmasq serves ``lan``; one
nftables table filters and translates. All of it is described by one `RouterSpec`, applied whole as often as
one likes, and outlives the appliance: guests keep their leases and their connections while it is away.
"""
