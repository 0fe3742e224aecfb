package replica

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestARecordThatSaysNothingIsNoRecordOfASigner(t *testing.T) {
	for _, text := range []string{"", "null", "{}", `{"height":7}`, `{"height":7,"round":0,"step":2,"bytes":"AA=="}`} {
		disk := memory()
		f, err := disk.Create("/"+signedFile, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = openSigner(testKey("vote0"), disk, "/", nil, func(err error) { t.Error(err) })
		if err == nil || !strings.Contains(err.Error(), "who forgets what it signed signs twice") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
