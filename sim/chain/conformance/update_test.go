package conformance

import (
	"errors"
	"flag"
	"strconv"
)

// One flag rewrites all expected output: the scripts' here, the samples' too.
var update = new(bool)

func init() {
	flag.BoolFunc("update", "rewrite the expected output", func(on string) error {
		var err error
		*update, err = strconv.ParseBool(on)
		return errors.Join(err, flag.Set("rewrite", on))
	})
}
