"""An L2 network: a broadcast domain, one bridge on every host of the clusters that it is attached to."""
