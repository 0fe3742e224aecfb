// Package script holds validators whose weights are given: rows by epoch from a table, a formula or a
// file. They ask nobody, and stand for behaviours whose outcome is known, such as voting along a rule.
package script
