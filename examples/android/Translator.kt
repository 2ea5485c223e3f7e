package keraspix2pix.example

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Color
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import org.tensorflow.lite.Interpreter

private const val SIGNATURE = "serving_default"
private const val SOURCE = "source"
private const val GENERATED = "generated"
private const val CHANNELS = 3

/** Translates bitmaps by an exported file among the app's assets; for one thread at a time, and not the main one. */
class Translator(
    context: Context,
    asset: String = "facades.tflite",
    options: Interpreter.Options = Interpreter.Options().setNumThreads(4),
) : AutoCloseable {
    private val interpreter = Interpreter(map(context, asset), options)

    // (1, height, width, 3), of one byte each.
    private val shape = interpreter.getInputTensorFromSignature(SOURCE, SIGNATURE).shape()
    private val height = shape[1]
    private val width = shape[2]
    private val source = ByteBuffer.allocateDirect(height * width * CHANNELS)
    private val generated = ByteBuffer.allocateDirect(height * width * CHANNELS)

    /** A bitmap of any size in, one of the file's size out. Pass `smooth = false` for label maps. */
    fun translate(bitmap: Bitmap, smooth: Boolean = true): Bitmap {
        val colors = IntArray(height * width)
        Bitmap.createScaledBitmap(bitmap, width, height, smooth).getPixels(colors, 0, width, 0, 0, width, height)
        source.rewind()
        for (color in colors) {
            source.put(Color.red(color).toByte()).put(Color.green(color).toByte()).put(Color.blue(color).toByte())
        }
        source.rewind()
        generated.rewind()
        interpreter.runSignature(mapOf(SOURCE to source), mapOf(GENERATED to generated), SIGNATURE)
        generated.rewind()
        for (pixel in colors.indices) {
            colors[pixel] = Color.rgb(level(generated.get()), level(generated.get()), level(generated.get()))
        }
        return Bitmap.createBitmap(colors, width, height, Bitmap.Config.ARGB_8888)
    }

    override fun close() = interpreter.close()

    // Kotlin's bytes have a sign, pixels have none.
    private fun level(byte: Byte) = byte.toInt() and 0xff

    private fun map(context: Context, asset: String): ByteBuffer =
        context.assets.openFd(asset).use { file ->
            FileInputStream(file.fileDescriptor).channel.map(
                FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength
            )
        }
}
