"""Groups of sub-commands of `flywheel`, a file each. They read arguments and print; what they do lives in the rooms and the doors."""
