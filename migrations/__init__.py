"""The history of the tables; run by 'aidloop migrate'."""
