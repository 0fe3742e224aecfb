package conformance

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"taolab/sim/chain"
)

// Plain Go data as JSON, the same rules for every type, in both directions:
//
//	struct              object, keys in the order of the fields, named as they are in lower case
//	                    with underscores: FreeRao is free_rao
//	weight, bond        [uid, value]
//	message, event      object of one member: its type's name and its fields
//	[n]byte             2n hexadecimal digits in lower case
//	integer, bool, text themselves; a list is a list

// messages and events are the types that stand in a one-member object.
var (
	messages = anyOf(chain.Messages())
	events   = []any{
		chain.EpochRan{}, chain.Registered{}, chain.Replaced{}, chain.Accused{}, chain.Seated{}, chain.Decided{},
		chain.Upgraded{},
	}

	weightType = reflect.TypeFor[chain.WeightEntry]()
	bondType   = reflect.TypeFor[chain.BondEntry]()
	msgType    = reflect.TypeFor[chain.Msg]()
	eventType  = reflect.TypeFor[chain.Event]()
)

func anyOf[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

func isPair(t reflect.Type) bool { return t == weightType || t == bondType }

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8
}

// key is a Go name as a JSON key.
func key(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && (name[i-1] < 'A' || name[i-1] > 'Z') {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// appendPlain appends v, indented; rows and lists of numbers stand on one line.
func appendPlain(b []byte, v reflect.Value, indent string) []byte {
	inner := indent + "  "
	switch t := v.Type(); {
	case isBytes(t):
		raw := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(raw), v)
		return append(append(append(b, '"'), hex.EncodeToString(raw)...), '"')
	case isPair(t):
		return fmt.Appendf(b, "[%d, %d]", v.Field(0).Uint(), v.Field(1).Uint())
	case t.Kind() == reflect.Interface:
		return fmt.Appendf(appendPlain(fmt.Appendf(b, "{%q: ", key(v.Elem().Type().Name())), v.Elem(),
			indent), "}")
	case t.Kind() == reflect.Struct:
		if v.NumField() == 0 {
			return append(b, "{}"...)
		}
		b = append(b, '{')
		for i := range v.NumField() {
			b = fmt.Appendf(b, "%s\n%s%q: ", comma(i), inner, key(t.Field(i).Name))
			b = appendPlain(b, v.Field(i), inner)
		}
		return append(append(append(b, '\n'), indent...), '}')
	case t.Kind() == reflect.Slice:
		return appendList(b, v, indent)
	case t.Kind() == reflect.String:
		text, err := json.Marshal(v.String())
		if err != nil {
			panic(err) // no string is refused
		}
		return append(b, text...)
	case t.Kind() == reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case v.CanInt():
		return strconv.AppendInt(b, v.Int(), 10)
	default:
		return strconv.AppendUint(b, v.Uint(), 10)
	}
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func appendList(b []byte, v reflect.Value, indent string) []byte {
	t := v.Type().Elem()
	flat := isPair(t) || t.Kind() != reflect.Struct && t.Kind() != reflect.Interface && !isBytes(t)
	b = append(b, '[')
	for i := range v.Len() {
		if b = append(b, comma(i)...); !flat {
			b = append(append(append(b, '\n'), indent...), "  "...)
		} else if i > 0 {
			b = append(b, ' ')
		}
		b = appendPlain(b, v.Index(i), indent+"  ")
	}
	if !flat && v.Len() > 0 {
		b = append(append(b, '\n'), indent...)
	}
	return append(b, ']')
}

// readPlain reads v, which must be settable; every field has to be there.
func (d *document) readPlain(at int, v reflect.Value) {
	if d.err != nil || at == none {
		return
	}
	switch t := v.Type(); {
	case isBytes(t):
		d.readHex(at, v)
	case isPair(t):
		pair := d.elements(at, 2)
		if d.err == nil && len(pair) != 2 {
			d.fail(at, "want a pair of a uid and a value")
		}
		for i, e := range pair {
			d.readPlain(e, v.Field(i))
		}
	case t == msgType:
		d.readNamed(at, v, messages, "message")
	case t == eventType:
		d.readNamed(at, v, events, "event")
	case t.Kind() == reflect.Struct:
		o := d.object(at)
		o.readFields(v)
		o.end()
	case t.Kind() == reflect.Slice:
		for i, e := range d.elements(at, len(d.Nodes)) {
			if d.err != nil {
				return // a wrong element does not make room for the rest
			}
			v.Set(reflect.Append(v, reflect.Zero(t.Elem())))
			d.readPlain(e, v.Index(i))
		}
	case t.Kind() == reflect.String:
		v.SetString(d.text(at))
	case t.Kind() == reflect.Bool:
		v.SetBool(d.flag(at))
	case v.CanInt():
		most := int64(1)<<(t.Bits()-1) - 1
		v.SetInt(d.signed(at, -most-1, most))
	default:
		v.SetUint(d.unsigned(at, 1<<(t.Bits()-1)-1+1<<(t.Bits()-1)))
	}
}

// readFields reads the members that are named as v's fields.
func (o *object) readFields(v reflect.Value) {
	for i := range v.NumField() {
		o.d.readPlain(o.need(key(v.Type().Field(i).Name)), v.Field(i))
	}
}

func (d *document) readHex(at int, v reflect.Value) {
	text := d.text(at)
	raw, err := hex.DecodeString(text)
	if d.err == nil && (err != nil || len(raw) != v.Len() || strings.ToLower(text) != text) {
		d.fail(at, "found %s, want %d hexadecimal digits in lower case", d.Found(at), 2*v.Len())
	}
	if d.err == nil {
		reflect.Copy(v, reflect.ValueOf(raw))
	}
}

func (d *document) readNamed(at int, v reflect.Value, known []any, what string) {
	o := d.object(at)
	if d.err != nil {
		return
	}
	if len(o.names) != 1 {
		d.fail(at, "%d members, want one, named as the kind of %s", len(o.names), what)
		return
	}
	for _, k := range known {
		if t := reflect.TypeOf(k); key(t.Name()) == o.names[0] {
			fields := reflect.New(t).Elem()
			d.readPlain(o.values[0], fields)
			v.Set(fields)
			return
		}
	}
	d.fail(at+1, "unknown kind of %s", what)
}
