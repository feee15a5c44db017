/** Something that whoever asked can put right. Its message says what is wrong and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem'
}
