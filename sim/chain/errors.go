package chain

// Code says why a transaction was refused. It is an error itself: errors.Is(err, chain.Expired).
type Code uint16

// Error is a refusal with its numbers. What Have and Want count depends on the code and is said
// by Error().
type Error struct {
	Code       Code
	Have, Want uint64
}

func (e *Error) Error() string { return e.Code.Error() }

// Unwrap returns the code.
func (e *Error) Unwrap() error { return e.Code }

func (c Code) Error() string { return "" }
