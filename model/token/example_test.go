package token_test

import (
	"fmt"

	"taolab/model/token"
)

func Example() {
	text := []byte("low lower lowest low low newer wider newest")
	tok, err := token.Train([][]byte{text}, 266)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range tok.Encode(nil, []byte("lower wide")) {
		fmt.Printf("%d %q\n", id, tok.Bytes(id))
	}
	// Output:
	// 257 "low"
	// 259 "er"
	// 220 " "
	// 86 "w"
	// 72 "i"
	// 67 "d"
	// 68 "e"
}

func ExampleLoad() {
	_, err := token.Load([]byte(`{"model": {"type": "WordPiece"}}`))
	fmt.Println(err)
	// Output:
	// token: tokenizer.json: line 1, column 20: model.type: found "WordPiece"; expected "BPE"
}
