// Package role makes agents: from the settings of a role, as in a TOML table, and the material that a
// network shares it makes a miner, a validator or an application, for the laboratory and for a live node
// alike. Settings are plain data whose tags are the reference of their keys (package settings). The package
// knows no groups, networks or hosts.
package role
