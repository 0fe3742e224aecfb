package jsontext

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Decode reads a text into the value that to points at: a struct, a slice, a string, a number or a
// bool. Members match json tags, or else field names, exactly. It refuses members that the struct does
// not have; a field whose member is missing or null stays as it is.
func Decode(data []byte, depth int, to any) error {
	v, err := Read(data, depth)
	if err != nil {
		return err
	}
	return v.decode(reflect.ValueOf(to).Elem())
}

func (v Value) decode(to reflect.Value) error {
	if v.Null() {
		return nil
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return v.decode(to.Elem())
	case reflect.Struct:
		return v.decodeStruct(to)
	case reflect.Slice:
		return v.decodeSlice(to)
	case reflect.String:
		s, err := v.Text()
		to.SetString(s)
		return err
	case reflect.Bool:
		b, err := v.True()
		to.SetBool(b)
		return err
	case reflect.Float32, reflect.Float64:
		x, err := v.Number()
		to.SetFloat(x)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(string(v.Raw()), 10, to.Type().Bits())
		if err != nil {
			return v.Expected(fmt.Sprintf("a whole number from 0 to %d", uint64(1)<<(to.Type().Bits()-1)-1+1<<(to.Type().Bits()-1)))
		}
		to.SetUint(n)
		return nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		most := int64(1)<<(to.Type().Bits()-1) - 1
		n, err := v.Whole(-most-1, most)
		to.SetInt(n)
		return err
	}
	panic(fmt.Sprintf("jsontext: no text is read into a %s", to.Type()))
}

func (v Value) decodeStruct(to reflect.Value) error {
	if v.Kind() != '{' {
		return v.Expected("an object")
	}
	fields := map[string]reflect.Value{}
	for _, f := range reflect.VisibleFields(to.Type()) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.Anonymous && f.IsExported() {
			if name == "" {
				name = f.Name
			}
			fields[name] = to.FieldByIndex(f.Index)
		}
	}
	for name, member := range v.Members() {
		field, ok := fields[name]
		if !ok {
			return member.Errorf("unknown member")
		}
		if err := member.decode(field); err != nil {
			return err
		}
	}
	return nil
}

func (v Value) decodeSlice(to reflect.Value) error {
	if v.Kind() != '[' {
		return v.Expected("a list")
	}
	to.Set(reflect.MakeSlice(to.Type(), 0, 0))
	for _, element := range v.Elements() {
		to.Set(reflect.Append(to, reflect.Zero(to.Type().Elem())))
		if err := element.decode(to.Index(to.Len() - 1)); err != nil {
			return err
		}
	}
	return nil
}
