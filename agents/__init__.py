"""What runs on hosts: subprocesses (`process`), the KVM host (`kvm`), and the playbooks that deploy it."""
