"""What the appliance changes in a host's own network, apart from its bridges, and how that is undone.

`ip_forward` is switched on and what it was is remembered; one nftables table masquerades the host-only
public networks and lets nothing begin from outside into them; where another firewall drops forwarded
packets by policy, rules in the place that it leaves for others let ours through. Everything that carries the
instance id can be listed, and removed, without knowing what it was made for.
"""
