/** A photo as it is sent: at most 600 px on a side, drawn anew, so that nothing of where it was taken goes along. */
const LARGEST = 600
const QUALITY = 0.85

export async function smaller(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file)
  const by = Math.min(1, LARGEST / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * by))
  canvas.height = Math.max(1, Math.round(picture.height * by))
  const pen = canvas.getContext('2d')
  if (!pen) throw new DOMException('no canvas', 'NotSupportedError')
  // What is transparent would become black.
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (made) => (made ? resolve(made) : reject(new DOMException('no picture', 'EncodingError'))),
      'image/jpeg',
      QUALITY,
    )
  })
}
