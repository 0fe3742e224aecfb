package consensus

// Name names a rule of the family.
type Name string

// The rules.
const (
	Yuma2 Name = "yuma2"
	Yuma3 Name = "yuma3"
)
