"""An L3 network: the addressing plan of one L2 network. Enabled ⇄ Disabled; Disabled takes no new NIC."""
