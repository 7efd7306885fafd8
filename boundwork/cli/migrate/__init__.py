"""The commands `boundwork migrate ...`: revision files and their graph, for people and for machines."""
