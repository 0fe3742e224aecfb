package scenarios

// meant asks whether a word stands for one of the candidates, where one is spelled alike, or else begins so.
func meant(word string, candidates []string) string {
	near := alike(word, candidates, maxFileBytes)
	if near == "" && len(word) > 3 {
		near = alike(word, candidates, len(word))
	}
	if near == "" {
		return ""
	}
	return "did you mean " + near + "?"
}

// alike is the candidate with the fewest letters other than the word's, or nothing where those are more than
// one of a short word, two of a longer one and a third of a long one. At most so many letters of each
// candidate are compared.
func alike(word string, candidates []string, most int) string {
	best, fewest := "", max(len(word)/3, min(2, len(word)/2))+1
	for _, candidate := range candidates {
		if changes := editDistance(word, candidate[:min(len(candidate), most)]); candidate != "" && changes < fewest {
			best, fewest = candidate, changes
		}
	}
	return best
}
