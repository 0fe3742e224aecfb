package script

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Variables are the values that a formula may use.
type Variables struct {
	T    int64 // epoch in which the weight counts, from 0
	Step int64 // the same, counted from the first epoch in which the validator's weights count
	I    int64 // place of the validator among all validators, from 0
	K    int64 // place of the validator in its group, from 0
	J    int64 // place of the target among all nodes of its role, from 0
	M    int64 // place of the target in its group, from 0
	Seed int64 // of the run
}

// None is a value that leaves an entry out, as every negative one does.
const None = -1

// maxFormula bounds the text of a formula and so the depth of its evaluation.
const maxFormula = 1000

// Formula is an integer expression of Variables: + - * / %, comparisons and && ||, which yield 1 or 0,
// and the functions min, max, pick(condition, then, else) and draw(n, ...), a number from 0 to n-1 that
// depends only on its other arguments. Division floors, and division by 0 yields 0; results saturate at
// 64 bits.
type Formula struct {
	text  string
	value expression
	moves bool
}

// expression is a compiled part of a formula.
type expression func(*Variables) int64

// variables are the names that a formula may use.
var variables = map[string]expression{
	"t":    func(v *Variables) int64 { return v.T },
	"step": func(v *Variables) int64 { return v.Step },
	"i":    func(v *Variables) int64 { return v.I },
	"k":    func(v *Variables) int64 { return v.K },
	"j":    func(v *Variables) int64 { return v.J },
	"m":    func(v *Variables) int64 { return v.M },
	"seed": func(v *Variables) int64 { return v.Seed },
	"none": func(*Variables) int64 { return None },
}

// operators are the binary ones.
var operators = map[token.Token]func(a, b int64) int64{
	token.ADD: add, token.SUB: subtract, token.MUL: multiply, token.QUO: divide, token.REM: remainder,
	token.EQL: func(a, b int64) int64 { return truth(a == b) },
	token.NEQ: func(a, b int64) int64 { return truth(a != b) },
	token.LSS: func(a, b int64) int64 { return truth(a < b) },
	token.LEQ: func(a, b int64) int64 { return truth(a <= b) },
	token.GTR: func(a, b int64) int64 { return truth(a > b) },
	token.GEQ: func(a, b int64) int64 { return truth(a >= b) },

	token.LAND: func(a, b int64) int64 { return truth(a != 0 && b != 0) },
	token.LOR:  func(a, b int64) int64 { return truth(a != 0 || b != 0) },
}

// function is a function of formulas with the least and the largest number of its arguments.
type function struct {
	least, most int
	apply       func(args []int64) int64
}

var functions = map[string]function{
	"min":  {1, 8, func(x []int64) int64 { return slices.Min(x) }},
	"max":  {1, 8, func(x []int64) int64 { return slices.Max(x) }},
	"draw": {2, 8, draw},
}

// Parse reads a formula.
func Parse(text string) (*Formula, error) {
	if len(text) > maxFormula {
		return nil, fmt.Errorf("a formula of %d characters; expected at most %d", len(text), maxFormula)
	}
	tree, err := parser.ParseExpr(text)
	if err != nil {
		return nil, fmt.Errorf("formula %q cannot be read: expected whole numbers, names, + - * / %%, comparisons, && ||, and functions", text)
	}
	f := &Formula{text: text}
	if f.value, err = f.compile(tree); err != nil {
		return nil, fmt.Errorf("formula %q: %w", text, err)
	}
	return f, nil
}

// String is the formula's text.
func (f *Formula) String() string { return f.text }

// Value evaluates the formula.
func (f *Formula) Value(v Variables) int64 { return f.value(&v) }

// Moves reports whether the value may depend on the epoch.
func (f *Formula) Moves() bool { return f.moves }

func (f *Formula) compile(tree ast.Expr) (expression, error) {
	switch x := tree.(type) {
	case *ast.ParenExpr:
		return f.compile(x.X)
	case *ast.BasicLit:
		n, err := strconv.ParseInt(x.Value, 10, 64)
		if x.Kind != token.INT || err != nil {
			return nil, fmt.Errorf("%s: expected a whole decimal number below 2^63", x.Value)
		}
		return func(*Variables) int64 { return n }, nil
	case *ast.Ident:
		value, known := variables[x.Name]
		if !known {
			return nil, fmt.Errorf("no name %q; expected one of %s", x.Name, strings.Join(sortedNames(variables), ", "))
		}
		f.moves = f.moves || x.Name == "t" || x.Name == "step"
		return value, nil
	case *ast.UnaryExpr:
		value, err := f.compile(x.X)
		if err == nil && x.Op == token.NOT {
			return func(v *Variables) int64 { return truth(value(v) == 0) }, nil
		}
		if err == nil && x.Op != token.SUB {
			return nil, fmt.Errorf("operator %s: expected - or ! before a value", x.Op)
		}
		return func(v *Variables) int64 { return subtract(0, value(v)) }, err
	case *ast.BinaryExpr:
		return f.binary(x)
	case *ast.CallExpr:
		return f.call(x)
	}
	return nil, fmt.Errorf("it contains something other than numbers, names, operators and function calls")
}

func (f *Formula) binary(x *ast.BinaryExpr) (expression, error) {
	apply, known := operators[x.Op]
	if !known {
		return nil, fmt.Errorf("operator %s; expected + - * / %%, a comparison, && or ||", x.Op)
	}
	a, err := f.compile(x.X)
	if err != nil {
		return nil, err
	}
	b, err := f.compile(x.Y)
	if err != nil {
		return nil, err
	}
	return func(v *Variables) int64 { return apply(a(v), b(v)) }, nil
}

func (f *Formula) call(x *ast.CallExpr) (expression, error) {
	name, ok := x.Fun.(*ast.Ident)
	if !ok {
		return nil, fmt.Errorf("a call without a function's name")
	}
	args := make([]expression, len(x.Args))
	for i, tree := range x.Args {
		var err error
		if args[i], err = f.compile(tree); err != nil {
			return nil, err
		}
	}
	if name.Name == "pick" && len(args) == 3 {
		return func(v *Variables) int64 {
			if args[0](v) != 0 {
				return args[1](v)
			}
			return args[2](v)
		}, nil
	}
	g, known := functions[name.Name]
	switch {
	case name.Name == "pick":
		return nil, fmt.Errorf("pick of %d arguments; expected 3: a condition, a value if it holds, another if not", len(args))
	case !known:
		return nil, fmt.Errorf("no function %q; expected one of %s, pick", name.Name, strings.Join(sortedNames(functions), ", "))
	case len(args) < g.least || len(args) > g.most:
		return nil, fmt.Errorf("%s of %d arguments; expected %d to %d", name.Name, len(args), g.least, g.most)
	}
	return func(v *Variables) int64 {
		var values [8]int64
		for i, arg := range args {
			values[i] = arg(v)
		}
		return g.apply(values[:len(args)])
	}, nil
}

func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m { // order-free: sorted below
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare)
	return names
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func add(a, b int64) int64 {
	switch sum := a + b; {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

func subtract(a, b int64) int64 {
	if b == math.MinInt64 {
		return add(add(a, math.MaxInt64), 1)
	}
	return add(a, -b)
}

func multiply(a, b int64) int64 {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	switch negative := (a < 0) != (b < 0); {
	case negative && (high > 0 || low > 1<<63):
		return math.MinInt64
	case negative:
		return -int64(low)
	case high > 0 || low > math.MaxInt64:
		return math.MaxInt64
	default:
		return int64(low)
	}
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// divide returns the floor of the quotient.
func divide(a, b int64) int64 {
	switch {
	case b == 0:
		return 0
	case a == math.MinInt64 && b == -1:
		return math.MaxInt64
	}
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// remainder has the sign of b, so that divide(a, b)*b + remainder(a, b) = a.
func remainder(a, b int64) int64 {
	if b == 0 || b == -1 {
		return 0
	}
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}

// draw is a number from 0 to args[0]-1, hashed from the other arguments.
func draw(args []int64) int64 {
	if args[0] <= 0 {
		return 0
	}
	var x uint64
	for _, arg := range args[1:] {
		x = x*1000003 + uint64(arg) + 1
	}
	return int64(mixed(x) % uint64(args[0]))
}

// mixed is one step of SplitMix64.
func mixed(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
