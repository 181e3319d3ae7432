"""The benchmark's query: 50 needs, each with five allocations and who gives them."""

DOCUMENT = """
query Needs {
  needs(first: 50) {
    nodes {
      id reference status severity createdAt
      region { id name }
      category { id code }
      allocations(first: 5) {
        nodes {
          id status createdAt
          served { value unit }
          offer { id title organization { id name } }
        }
      }
    }
  }
}
"""
