"""Network services: DHCP, DNS, SNAT and more, each given to an L3 network by one provider."""
