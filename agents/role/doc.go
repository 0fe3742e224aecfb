// Package role makes agents: the settings of a role, as a TOML table has them, and what is shared come to a
// miner, a validator or an application, for the laboratory and for a live node alike. Settings are plain
// data whose tags are the reference of their keys (package settings). Nothing here knows groups, networks or
// hosts.
package role
