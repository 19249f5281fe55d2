"""The compiler: turns a path of the trie into fused native code with the bits of the interpreter."""
