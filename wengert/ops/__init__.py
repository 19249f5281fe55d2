"""The operations: one record each in the table, beside the public function that records it."""
