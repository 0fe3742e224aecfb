package conformance

import (
	"errors"
	"flag"
	"strconv"
)

// One flag writes all expected output anew: the scripts' here, the samples' too.
var update = new(bool)

func init() {
	flag.BoolFunc("update", "write the expected output anew", func(on string) error {
		var err error
		*update, err = strconv.ParseBool(on)
		return errors.Join(err, flag.Set("rewrite", on))
	})
}
