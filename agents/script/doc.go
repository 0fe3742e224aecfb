// Package script holds validators with prescribed weights: rows by epoch from a table, a formula or a
// file. They ask nobody, and represent behaviours whose votes are known in advance, such as voting by
// a rule.
package script
